namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// How an endpoint has been answering: whether it is slow, and until when it is left alone. A receiver's Retry-After pauses it; so does a
/// row of failures without any success (the breaker), for a second at first and twice as long with each further one, so that an endpoint
/// that is away costs little and fails few of its waiting events. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneHealth(TimeProvider time)
{
    /// <summary>Failures in a row from which on the breaker pauses the lane: more than one event's whole schedule by default.</summary>
    public const int BreakAfter = 10;

    /// <summary>The breaker's longest pause.</summary>
    public static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(30);

    private int _failures;
    private long _pausedUntil = long.MinValue;

    /// <summary>Whether its latest success was slow or one of its tries is.</summary>
    public bool IsSlow { get; private set; }

    /// <summary>Whether it is to be left alone now.</summary>
    public bool IsPaused => _pausedUntil != long.MinValue && time.GetTimestamp() < _pausedUntil;

    /// <summary>A try of it has turned slow; true when it was not before.</summary>
    public bool TurnSlow()
    {
        if (IsSlow) return false;
        return IsSlow = true;
    }

    /// <summary>A try succeeded. Ends a break, not a pause that was asked for by another try meanwhile: that has its own end.</summary>
    public void Succeeded(bool slow)
    {
        _failures = 0;
        IsSlow = slow;
    }

    /// <summary>A try failed.</summary>
    public void Failed(TimeSpan? retryAfter)
    {
        _failures++;
        if (retryAfter is { } asked) PauseFor(asked);
        if (_failures >= BreakAfter) PauseFor(TimeSpan.FromSeconds(Math.Min(LongestBreak.TotalSeconds, 1 << Math.Min(_failures - BreakAfter, 10))));
    }

    private void PauseFor(TimeSpan wait)
    {
        var until = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        if (until > _pausedUntil) _pausedUntil = until;
    }
}
