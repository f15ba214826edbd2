using HdrHistogram;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>
/// Latencies of a run's answers by the time at which they came, in windows of <see cref="Window"/>, and those of refusals by themselves.
/// </summary>
internal sealed class AnswerTimeline
{
    /// <summary>The length of a window.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(250);

    private const int CalmWindows = 4;
    private const long HighestMicroseconds = 3_600_000_000;
    private readonly Lock _lock = new();
    private readonly List<LongHistogram> _windows = [];
    private readonly LongHistogram _refusals = New();

    /// <summary>Refusals noted.</summary>
    public long Refused => _refusals.TotalCount;

    /// <summary>Notes an answer; refusals are 429 and 503.</summary>
    public void Note(int status, long now, long latency)
    {
        var microseconds = Math.Clamp(latency / 1000, 0, HighestMicroseconds);
        var index = (int)(now / Window.TotalNanoseconds);
        lock (_lock)
        {
            while (_windows.Count <= index) _windows.Add(New());
            _windows[index].RecordValue(microseconds);
            if (status is 429 or 503) _refusals.RecordValue(microseconds);
        }
    }

    /// <summary>A percentile of the refusals' latencies in milliseconds; 0 without any.</summary>
    public double RefusalMilliseconds(double percentile) => LoadResult.Milliseconds(_refusals, percentile);

    /// <summary>
    /// From the start until a second begins in which no window's p99 is over the bound; null when none does. A window in which nothing was
    /// answered is not calm.
    /// </summary>
    public TimeSpan? CalmAfter(double milliseconds)
    {
        lock (_lock)
        {
            var calm = 0;
            for (var index = 0; index < _windows.Count; index++)
            {
                var isCalm = _windows[index].TotalCount > 0 && LoadResult.Milliseconds(_windows[index], 99) <= milliseconds;
                calm = isCalm ? calm + 1 : 0;
                if (calm == CalmWindows) return (index + 1 - CalmWindows) * Window;
            }
        }

        return null;
    }

    private static LongHistogram New() => new(1, HighestMicroseconds, 2);
}
