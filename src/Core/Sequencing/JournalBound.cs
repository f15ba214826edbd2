namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// How many bytes may be ahead of the store. Past the limit events are refused until half of it is free, so that a slow store does not
/// make the answers flicker.
/// </summary>
internal sealed class JournalBound(long maxBytes)
{
    private long _bytes;
    private long _events;
    private int _full;

    /// <summary>The limit.</summary>
    public long MaxBytes => maxBytes;

    /// <summary>Bytes of frames that the store does not have yet.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Events that the store does not have yet.</summary>
    public long Events => Volatile.Read(ref _events);

    /// <summary>Whether events are refused.</summary>
    public bool IsFull => Volatile.Read(ref _full) != 0;

    /// <summary>Counts accepted events.</summary>
    public void Add(long events, long bytes)
    {
        Interlocked.Add(ref _events, events);
        if (Interlocked.Add(ref _bytes, bytes) > maxBytes) Volatile.Write(ref _full, 1);
    }

    /// <summary>Counts stored events.</summary>
    public void Remove(long events, long bytes)
    {
        Interlocked.Add(ref _events, -events);
        if (Interlocked.Add(ref _bytes, -bytes) <= maxBytes / 2) Volatile.Write(ref _full, 0);
    }
}
