namespace ZapierTriggers.Load.Core.Driving;

/// <summary>Numbers requests from 0, over all threads.</summary>
internal sealed class RequestNumbers
{
    private long _next;

    /// <summary>How many have been given.</summary>
    public long Given => Volatile.Read(ref _next);

    /// <summary>The next number.</summary>
    public long Next() => Interlocked.Increment(ref _next) - 1;
}
