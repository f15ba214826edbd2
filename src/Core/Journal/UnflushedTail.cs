namespace ZapierTriggers.Core.Journal;

/// <summary>
/// What no fdatasync is known to have covered when a process ended: the frames behind the ring's mark, in the ring and in the segments (in
/// the newest; in one before it where a start failed in the middle of this). They are merged by sequence and written anew, because after a
/// failed flush the page cache shows bytes of a segment that the disk lacks and that no later flush would write.
/// </summary>
internal sealed class UnflushedTail : IDisposable
{
    private readonly Ring? _ring;
    private readonly ulong _secret;
    private readonly SortedDictionary<long, ReadFrame> _frames = [];

    /// <summary>Reads what the ring holds, if there is one. Throws <see cref="JournalException"/> when it is damaged or newer.</summary>
    public UnflushedTail(DataDirectory directory)
    {
        _secret = directory.FrameSecret;
        _ring = Ring.OpenForRecovery(directory.Disk, Path.Combine(directory.JournalPath, Ring.FileName));
        if (_ring is null) return;
        foreach (var bytes in _ring.Recover(_secret)) Add(bytes);
        FromRing = _frames.Count;
        LastInRing = FromRing > 0 ? _frames.Keys.Last() : After;
    }

    /// <summary>Frames that the ring held.</summary>
    public int FromRing { get; }

    /// <summary>Sequence up to which everything is in synced segments; 0 = there is no ring to say so.</summary>
    public long After => _ring?.MarkSequence ?? 0;

    /// <summary>
    /// The last sequence that the ring knows; 0 = there is no ring. While the machine runs no segment knows a later one, so one that does
    /// shows that the ring's latest pages were lost.
    /// </summary>
    public long LastInRing { get; }

    /// <summary>Whether the ring was in use when the machine went down, as far as the ring itself can tell.</summary>
    public bool IsFromAnotherBoot => _ring?.IsFromAnotherBoot ?? false;

    /// <summary>The last sequence here; 0 = none.</summary>
    public long Last => _frames.Count > 0 ? _frames.Keys.Last() : 0;

    /// <summary>Whether a frame with the sequence <see cref="After"/> was flushed, so that its absence is a loss.</summary>
    public bool HasFlushed => _ring?.HasFlushed ?? false;

    /// <summary>
    /// Whether a frame of a segment belongs to the tail: only while the ring has one too, else the segment is all there is.
    /// </summary>
    public bool Claims(long sequence) => FromRing > 0 && sequence > After;

    /// <summary>Whether that frame is in it.</summary>
    public bool Has(long sequence) => _frames.ContainsKey(sequence);

    /// <summary>Takes a frame of a segment over. Of two copies the one that is whole wins.</summary>
    public void Take(in ReadFrame frame)
    {
        if (!_frames.TryGetValue(frame.Sequence, out var there) || (!there.IsWhole && frame.IsWhole)) Add(frame.Bytes.ToArray());
    }

    /// <summary>
    /// Its frames, in order. One whose payload did not survive a power cut is among them, so that it is set aside like any other.
    /// </summary>
    public IReadOnlyList<ReadFrame> Frames => [.. _frames.Values];

    /// <summary>
    /// Says in the ring that all of it is in a synced segment, so that a start that fails from here on does not write it once more.
    /// </summary>
    public void Release()
    {
        if (FromRing > 0) _ring!.Release(_ring.Head, Last);
    }

    /// <inheritdoc/>
    public void Dispose() => _ring?.Dispose();

    private void Add(byte[] bytes)
    {
        Frame.Read(bytes, _secret, out var frame);
        _frames[frame.Sequence] = frame;
    }
}
