using HdrHistogram;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.Core.Soak;

/// <summary>
/// Latencies of a run that lasts: since the last look, and by quarter of the run, but for its first moments, in which the server's code is
/// still being compiled. It takes the same memory however long that is.
/// </summary>
/// <param name="duration">How long the run lasts.</param>
/// <param name="warmUp">Its beginning, which counts in no quarter.</param>
internal sealed class SoakLatencies(TimeSpan duration, TimeSpan warmUp)
{
    private const int Quarters = 4;
    private const long HighestMicroseconds = 3_600_000_000;

    private readonly Lock _lock = new();
    private readonly LongHistogram[] _quarters = [.. Enumerable.Range(0, Quarters).Select(_ => New())];
    private readonly LongHistogram _recent = New();

    /// <summary>Notes an answer; see <see cref="AnswerTaken"/>.</summary>
    public void Note(int status, long now, long latency)
    {
        if (status is not (202 or 409)) return;
        var microseconds = Math.Clamp(latency / 1000, 0, HighestMicroseconds);
        var quarter = Math.Min(Quarters - 1, (int)(now / duration.TotalNanoseconds * Quarters));
        lock (_lock)
        {
            if (now >= warmUp.TotalNanoseconds) _quarters[quarter].RecordValue(microseconds);
            _recent.RecordValue(microseconds);
        }
    }

    /// <summary>Percentiles in milliseconds since the last call.</summary>
    public (double P50, double P99) TakeRecent()
    {
        lock (_lock)
        {
            var taken = (LoadResult.Milliseconds(_recent, 50), LoadResult.Milliseconds(_recent, 99));
            _recent.Reset();
            return taken;
        }
    }

    /// <summary>The 99th percentile of a quarter, from 0, in milliseconds.</summary>
    public double P99Of(int quarter)
    {
        lock (_lock) return LoadResult.Milliseconds(_quarters[quarter], 99);
    }

    private static LongHistogram New() => new(1, HighestMicroseconds, 3);
}
