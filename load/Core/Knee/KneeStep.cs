using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Load.Core.Knee;

/// <summary>What was seen of the server during a step, beside its answers.</summary>
/// <param name="Backlog">Events accepted and not stored, by seconds from the step's start; empty if the server does not tell.</param>
/// <param name="Before">The process's figures before the step.</param>
/// <param name="After">The same after it, all stored and delivered.</param>
/// <param name="Cpu">CPU time that the server used from one to the other; null if not asked for.</param>
/// <param name="Webhooks">From an event's 202 to its webhook, for each; null without webhooks.</param>
internal sealed record StepObservations(
    IReadOnlyList<(double Seconds, double Events)> Backlog,
    ProcessFigures Before,
    ProcessFigures After,
    TimeSpan? Cpu,
    IReadOnlyList<TimeSpan>? Webhooks)
{
    /// <summary>From before to after.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What our watching alone costs the server.</summary>
    public IdleFigures Idle { get; init; }
}

/// <summary>The figures of one step. Times are in milliseconds; what is not known is null.</summary>
internal sealed record KneeStep
{
    /// <summary>The share of the capacity that was offered, in percent.</summary>
    public required int Percent { get; init; }

    /// <summary>Events a second offered.</summary>
    public required double Offered { get; init; }

    /// <summary>Events a second accepted (202), over the step's length.</summary>
    public required double AcceptedRate { get; init; }

    /// <summary>Events accepted.</summary>
    public required long Accepted { get; init; }

    /// <summary>Requests answered otherwise.</summary>
    public required long Refused { get; init; }

    /// <summary>Requests without an answer.</summary>
    public required long Unanswered { get; init; }

    /// <summary>Requests of the plan that found no free connection until the end.</summary>
    public required long Unsent { get; init; }

    /// <summary>The middle of the latencies, from the time at which each request was to be sent.</summary>
    public required double P50 { get; init; }

    /// <summary>The 90th percentile.</summary>
    public required double P90 { get; init; }

    /// <summary>The 99th percentile.</summary>
    public required double P99 { get; init; }

    /// <summary>The 99.9th percentile.</summary>
    public required double P999 { get; init; }

    /// <summary>The longest.</summary>
    public required double Highest { get; init; }

    /// <summary>The mean from an event's 202 to its commit: mean backlog by accepted rate (Little's law, J. D. C. Little 1961).</summary>
    public double? StoredMean { get; init; }

    /// <summary>The longest of these: at a constant rate the oldest event of a backlog of n was accepted n intervals ago.</summary>
    public double? StoredHighest { get; init; }

    /// <summary>The middle from an event's 202 to its webhook.</summary>
    public double? WebhookP50 { get; init; }

    /// <summary>The 99th percentile of these.</summary>
    public double? WebhookP99 { get; init; }

    /// <summary>Microseconds of the server's CPU per accepted event, storing and delivering included, our watching not.</summary>
    public double? CpuMicroseconds { get; init; }

    /// <summary>Bytes that the server allocated per accepted event, storing and delivering included.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>How long the server's collector stopped it, in all.</summary>
    public double? GcPause { get; init; }

    /// <summary>By how many events a second the backlog grew, by least squares.</summary>
    public double? BacklogSlope { get; init; }

    /// <summary>The largest backlog seen, in events.</summary>
    public double? BacklogHighest { get; init; }

    /// <summary>The 99th percentile of the generator's own delay.</summary>
    public required double LagP99 { get; init; }

    /// <summary>The share of time that the generator's busiest thread worked.</summary>
    public required double Busy { get; init; }

    /// <summary>
    /// Why the step says nothing of its rate: the generator lagged, or an earlier step's events were still on their way; null if it does.
    /// </summary>
    public string? VoidReason { get; init; }

    /// <summary>Sums a step up.</summary>
    public static KneeStep Of(int percent, double offered, TimeSpan length, LoadResult result, StepObservations seen)
    {
        var accepted = Math.Max(1, result.Accepted);
        var rate = result.Accepted / length.TotalSeconds;
        var during = seen.Backlog.Where(sample => sample.Seconds <= length.TotalSeconds).ToList();
        var webhooks = seen.Webhooks is { Count: > 0 } some ? LatencySummary.Of(some) : (LatencySummary?)null;
        return new KneeStep
        {
            Percent = percent,
            Offered = offered,
            AcceptedRate = rate,
            Accepted = result.Accepted,
            Refused = result.Answered - result.Accepted,
            Unanswered = result.Unanswered,
            Unsent = result.Backlog,
            P50 = LoadResult.Milliseconds(result.Latency, 50),
            P90 = LoadResult.Milliseconds(result.Latency, 90),
            P99 = LoadResult.Milliseconds(result.Latency, 99),
            P999 = LoadResult.Milliseconds(result.Latency, 99.9),
            Highest = LoadResult.Milliseconds(result.Latency, 100),
            StoredMean = during.Count > 0 && rate > 0 ? during.Average(sample => sample.Events) / rate * 1000 : null,
            StoredHighest = during.Count > 0 && rate > 0 ? during.Max(sample => sample.Events) / rate * 1000 : null,
            WebhookP50 = webhooks?.P50,
            WebhookP99 = webhooks?.P99,
            CpuMicroseconds = seen.Idle.Without(seen.Cpu, seen.Elapsed)?.TotalMicroseconds / accepted,
            AllocatedBytes = seen.Idle.Without(seen.After.AllocatedBytes - seen.Before.AllocatedBytes, seen.Elapsed) / accepted,
            GcPause = (seen.After.GcPauseSeconds - seen.Before.GcPauseSeconds) * 1000,
            BacklogSlope = LinearFit.Slope(during),
            BacklogHighest = during.Count > 0 ? during.Max(sample => sample.Events) : null,
            LagP99 = LoadResult.Milliseconds(result.Lag, 99),
            Busy = result.Busy,
            VoidReason = result.VoidReason,
        };
    }
}
