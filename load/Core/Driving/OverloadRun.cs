using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>What an overload is made of.</summary>
internal sealed record OverloadSettings
{
    /// <summary>How long the capacity is measured, and the normal latency after it.</summary>
    public TimeSpan Measure { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the overload lasts.</summary>
    public TimeSpan Overload { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long half the capacity is offered afterwards.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Connections of the overload: as many as a crowd has, so that the server and not the generator holds what waits.</summary>
    public int Crowd { get; init; } = 512;
}

/// <summary>What came of an overload.</summary>
/// <param name="Capacity">Events accepted a second, closed loop.</param>
/// <param name="NormalMilliseconds">The p99 at half the capacity, before.</param>
/// <param name="Offered">Events offered a second in the overload.</param>
/// <param name="Goodput">Events accepted a second in the overload.</param>
/// <param name="Timeline">The overload's answers.</param>
/// <param name="CalmAfter">From the end of the overload until the p99 was normal again; null if it never was.</param>
/// <param name="Phases">Each phase by name, in order.</param>
internal sealed record OverloadFigures(
    double Capacity, double NormalMilliseconds, double Offered, double Goodput, AnswerTimeline Timeline, TimeSpan? CalmAfter,
    IReadOnlyList<(string Name, LoadResult Result)> Phases)
{
    /// <summary>The least share of the capacity that must be accepted in the overload.</summary>
    public const double GoodputBar = 0.9;

    // What two measurements of the same capacity differ by on a shared machine.
    private const double HighestShare = 1.25;

    /// <summary>The longest that the latency may take to be normal again.</summary>
    public static readonly TimeSpan CalmBar = TimeSpan.FromSeconds(5);

    /// <summary>The share of the capacity that was accepted in the overload.</summary>
    public double GoodputShare => Capacity > 0 ? Goodput / Capacity : 0;

    /// <summary>
    /// Whether more was accepted in the overload than the capacity that was measured: then it was none, and the figures say nothing.
    /// </summary>
    public bool IsVoid => GoodputShare > HighestShare;

    /// <summary>Whether both bars were met.</summary>
    public bool Passed => !IsVoid && GoodputShare >= GoodputBar && CalmAfter <= CalmBar;
}

/// <summary>
/// Warms the server up, measures the capacity with the crowd's connections, then offers half of it, twice of it, half of it.
/// </summary>
internal sealed class OverloadRun(
    LoadSettings load, OverloadSettings settings, Ledger? ledger, Func<LoadRun, CancellationToken, Task<LoadResult>> watch)
{
    // The p99 counts as normal up to this multiple of what it was, and whatever it was up to so many milliseconds.
    private const double NormalFactor = 2;
    private const double NormalMilliseconds = 10;
    private readonly RequestNumbers _numbers = new();

    /// <summary>Runs the phases.</summary>
    public async Task<OverloadFigures> RunAsync(CancellationToken stop)
    {
        var (overload, after) = (new AnswerTimeline(), new AnswerTimeline());
        var crowd = load with { Connections = settings.Crowd };
        var warming = await PhaseAsync(crowd, _ => SendPlan.Closed(settings.Measure), settings.Measure, stop);
        var closed = await PhaseAsync(crowd, _ => SendPlan.Closed(settings.Measure), settings.Measure, stop);
        var capacity = closed.Accepted / settings.Measure.TotalSeconds;
        var before = await OpenAsync(load, capacity / 2, settings.Measure, stop);
        var over = await OpenAsync(crowd with { OnAnswer = overload.Note }, capacity * 2, settings.Overload, stop);
        var behind = await OpenAsync(load with { OnAnswer = after.Note }, capacity / 2, settings.After, stop);
        var normal = LoadResult.Milliseconds(before.Latency, 99);
        return new OverloadFigures(
            capacity, normal, capacity * 2, over.Accepted / settings.Overload.TotalSeconds, overload,
            after.CalmAfter(Math.Max(NormalFactor * normal, NormalMilliseconds)),
            [("warm-up", warming), ("capacity", closed), ("before", before), ("overload", over), ("after", behind)]);
    }

    private Task<LoadResult> OpenAsync(LoadSettings phase, double rate, TimeSpan duration, CancellationToken stop)
    {
        var threads = Math.Min(phase.Threads, phase.Connections);
        return PhaseAsync(
            phase, thread => SendPlan.Constant(Math.Max(1, rate) / threads, duration, (double)thread / threads), duration, stop);
    }

    /// <summary>A phase ends with its time: what it could not send must not burden the next.</summary>
    private async Task<LoadResult> PhaseAsync(LoadSettings phase, Func<int, SendPlan> planOf, TimeSpan duration, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var run = new LoadRun(phase, planOf, _numbers, ledger);
        end.CancelAfter(duration);
        return await watch(run, end.Token);
    }
}
