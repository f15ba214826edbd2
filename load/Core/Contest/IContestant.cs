using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>One round of one contestant.</summary>
/// <param name="Acknowledged">Events acknowledged.</param>
/// <param name="Refused">Events refused or without an answer.</param>
/// <param name="Elapsed">From the start to the last answer.</param>
/// <param name="Drained">From the start until everything acknowledged was where readers find it; the same where an acknowledgement means
/// that.</param>
/// <param name="P50">The middle of the latencies, in milliseconds.</param>
/// <param name="P99">Their 99th percentile.</param>
internal sealed record ContestRound(long Acknowledged, long Refused, TimeSpan Elapsed, TimeSpan Drained, double P50, double P99)
{
    /// <summary>Events acknowledged a second.</summary>
    public double Rate => Acknowledged / Elapsed.TotalSeconds;

    /// <summary>Events a second until all were where readers find them.</summary>
    public double DrainedRate => Acknowledged / Drained.TotalSeconds;
}

/// <summary>A program that takes events and acknowledges them, started and stopped by us, its files in a directory of its own.</summary>
internal interface IContestant : IAsyncDisposable
{
    /// <summary>What the table calls it.</summary>
    string Name { get; }

    /// <summary>Which failure an acknowledgement survives, as its makers document it for these settings.</summary>
    string Survives { get; }

    /// <summary>Starts it and waits until it takes events.</summary>
    /// <exception cref="MissingProgramException">It is not installed.</exception>
    Task StartAsync(EventSource source, CancellationToken stop);

    /// <summary>A closed round.</summary>
    Task<ContestRound> RoundAsync(int connections, TimeSpan duration, CancellationToken stop);
}
