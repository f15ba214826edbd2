namespace ZapierTriggers.Server.Http;

/// <summary>
/// Bytes that many requests may hold together. Safe for any number of threads; whoever finds none left is refused, not queued.
/// </summary>
internal sealed class ByteBudget(long bytes)
{
    private long _taken;

    /// <summary>Bytes taken now.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Takes so many; false, and nothing taken, when they are not left.</summary>
    public bool TryTake(long count)
    {
        if (Interlocked.Add(ref _taken, count) <= bytes) return true;
        Interlocked.Add(ref _taken, -count);
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Return(long count) => Interlocked.Add(ref _taken, -count);
}
