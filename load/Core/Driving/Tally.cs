using HdrHistogram;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>What one driver has counted. One thread writes, others may read while it does.</summary>
internal sealed class Tally
{
    private const int HighestStatus = 599;
    private const long HighestMicroseconds = 3_600_000_000; // An hour: longer than any run we make.

    private readonly long[] _statuses = new long[HighestStatus + 1];
    private long _sent;

    /// <summary>Latency of answered requests in microseconds, from the intended time.</summary>
    public HistogramBase Latency { get; } = new LongConcurrentHistogram(1, HighestMicroseconds, 3);

    /// <summary>Microseconds between the moment a request was due and a connection free, and its sending: our own delay.</summary>
    public HistogramBase Lag { get; } = new LongConcurrentHistogram(1, HighestMicroseconds, 3);

    /// <summary>Requests sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Requests due and not sent.</summary>
    public long Backlog { get; set; }

    /// <summary>Nanoseconds spent waiting for answers or send times: the rest was work.</summary>
    public long Waited { get; set; }

    /// <summary>Answers by status; index 0 counts requests without an answer.</summary>
    public ReadOnlySpan<long> Statuses => _statuses;

    /// <summary>Counts a request.</summary>
    public void CountSent(long lagNanoseconds)
    {
        Volatile.Write(ref _sent, _sent + 1);
        Lag.RecordValue(Math.Clamp(lagNanoseconds / 1000, 0, HighestMicroseconds));
    }

    /// <summary>Counts an answer.</summary>
    public void CountAnswer(int status, long latencyNanoseconds)
    {
        _statuses[Math.Min(status, HighestStatus)]++;
        Latency.RecordValue(Math.Clamp(latencyNanoseconds / 1000, 0, HighestMicroseconds));
    }

    /// <summary>Counts a request whose answer did not come.</summary>
    public void CountUnanswered() => _statuses[0]++;
}
