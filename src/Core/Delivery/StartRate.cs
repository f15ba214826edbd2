namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// How many tries of one endpoint may start in a second: in any second, wherever it begins, never more. It keeps the times of the latest
/// starts, as many as the limit. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class StartRate(TimeProvider time)
{
    /// <summary>The highest limit.</summary>
    public const int Most = 1000;

    private long[] _starts = [];
    private int _next;
    private bool _isAwaited;

    /// <summary>The limit; null = none.</summary>
    public int? PerSecond { get; private set; }

    /// <summary>How long until the next try may start; zero when it may now.</summary>
    public TimeSpan Wait
    {
        get
        {
            if (_starts.Length == 0) return TimeSpan.Zero;
            // The oldest of the kept starts: as many as the limit began since.
            var passed = _starts[_next] == long.MinValue ? TimeSpan.FromSeconds(1) : time.GetElapsedTime(_starts[_next]);
            return passed >= TimeSpan.FromSeconds(1) ? TimeSpan.Zero : TimeSpan.FromSeconds(1) - passed;
        }
    }

    /// <summary>Changes the limit; starts of the last second count under it too.</summary>
    public void SetLimit(int? perSecond)
    {
        if (PerSecond == perSecond) return;
        PerSecond = perSecond;
        var latest = Enumerable.Range(0, _starts.Length).Select(i => _starts[(_next + i) % _starts.Length]).ToArray();
        _starts = new long[perSecond ?? 0];
        _next = 0;
        Array.Fill(_starts, long.MinValue);
        var kept = latest.AsSpan(Math.Max(0, latest.Length - _starts.Length));
        kept.CopyTo(_starts.AsSpan(_starts.Length - kept.Length));
    }

    /// <summary>Whether somebody is to wait before the next try; not when somebody does already. Ended by <see cref="EndWait"/>.</summary>
    public bool TryBeginWait(bool isWanted, out TimeSpan wait)
    {
        wait = _isAwaited || !isWanted ? TimeSpan.Zero : Wait;
        if (wait == TimeSpan.Zero) return false;
        return _isAwaited = true;
    }

    /// <summary>The wait is over.</summary>
    public void EndWait() => _isAwaited = false;

    /// <summary>A try starts.</summary>
    public void Started()
    {
        if (_starts.Length == 0) return;
        _starts[_next] = time.GetTimestamp();
        _next = (_next + 1) % _starts.Length;
    }
}
