namespace ZapierTriggers.Core.Limits;

/// <summary>Milliseconds since it was made, from the monotonic clock: setting the system's time changes nothing.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private readonly long _ticksPerMillisecond = Math.Max(1, time.TimestampFrequency / 1000);

    /// <summary>Now.</summary>
    public long Milliseconds => (time.GetTimestamp() - _start) / _ticksPerMillisecond;
}
