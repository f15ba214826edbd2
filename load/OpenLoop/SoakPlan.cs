using ZapierTriggers.Load.Core.CommandLine;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>What <c>soak</c> is to do.</summary>
internal sealed record SoakPlan
{
    /// <summary>The server.</summary>
    public required Uri Server { get; init; }

    /// <summary>Its process, for its memory without mapped files; null takes what it tells itself.</summary>
    public required int? ServerId { get; init; }

    /// <summary>Events a second.</summary>
    public required double Rate { get; init; }

    /// <summary>The rate as a share of the capacity instead; null takes <see cref="Rate"/>.</summary>
    public required double? Percent { get; init; }

    /// <summary>How long the capacity is measured.</summary>
    public required TimeSpan Measure { get; init; }

    /// <summary>How long it lasts.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The beginning whose latencies are not judged.</summary>
    public TimeSpan WarmUp => TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerMinute, Duration.Ticks / 10));

    /// <summary>From sample to sample.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Connections.</summary>
    public required int Connections { get; init; }

    /// <summary>The file of samples.</summary>
    public required string OutPath { get; init; }

    /// <summary>Whether it is too short for bars.</summary>
    public required bool IsShort { get; init; }

    /// <summary>Reads the command's own options.</summary>
    /// <exception cref="UsageException">One is wrong.</exception>
    public static SoakPlan Read(Arguments arguments)
    {
        var isShort = arguments.Flag("--short");
        var (hasRate, hasPercent) = (arguments.Text("--rate") is not null, arguments.Text("--percent") is not null);
        if (hasRate && hasPercent) throw new UsageException("Give --rate or --percent, not both.");
        return new SoakPlan
        {
            Server = arguments.Url("--url", "http://localhost:8080"),
            ServerId = arguments.Count("--server-pid"),
            Rate = arguments.Number("--rate", isShort ? 500 : 1000),
            Percent = hasPercent ? arguments.Number("--percent", 60) : null,
            Measure = TimeSpan.FromSeconds(arguments.Number("--measure", isShort ? 1 : 30)),
            Duration = TimeSpan.FromSeconds(arguments.Number("--seconds", isShort ? 20 : 3600)),
            Interval = TimeSpan.FromSeconds(arguments.Number("--every", isShort ? 1 : 10)),
            Connections = arguments.Count("--connections", 64),
            OutPath = arguments.Text("--out") ?? Path.Combine("reports", "soak.ndjson"),
            IsShort = isShort,
        };
    }
}
