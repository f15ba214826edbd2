using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// A memory-mapped file that holds every frame from its acceptance until fdatasync has covered it in a segment. It outlives the process:
/// what a killed server
/// had answered is found here from <see cref="Mark"/> on.
/// <see cref="RingFile"/> draws the file.
/// One writer (the sequencer) moves <see cref="Head"/>, one reader (the journal writer) moves <see cref="Mark"/>; no locks.
/// </summary>
internal sealed unsafe class Ring : IDisposable
{
    /// <summary>Its name in the journal's directory.</summary>
    public const string FileName = "ring";

    private const ulong Pad = ulong.MaxValue;

    private readonly IDiskFile _file;
    private readonly IMapping _mapping;
    private byte* _base;
    private long _mark;
    private long _head;
    private long _reserved;
    private long _cleanThrough;

    private Ring(IDiskFile file, long capacity)
    {
        Capacity = capacity;
        _file = file;
        _mapping = file.Map(RingFile.HeaderLength + capacity);
        _base = _mapping.Address;
        _mark = *(long*)(_base + RingFile.MarkOffset);
        _cleanThrough = capacity; // for a new one, whose file is all zeros
    }

    /// <summary>Bytes for frames.</summary>
    public long Capacity { get; }

    /// <summary>Position behind the last whole frame.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>Position up to which everything is in synced segments; kept in the file by one aligned store.</summary>
    public long Mark => Volatile.Read(ref _mark);

    /// <summary>Bytes that are not in synced segments yet.</summary>
    public long Used => Head - Mark;

    /// <summary>
    /// Whether anything was flushed while this ring was in use, so that <see cref="MarkSequence"/> is the sequence of a frame.
    /// </summary>
    public bool HasFlushed => Mark > 0;

    /// <summary>Sequence of the last frame before the mark.</summary>
    public long MarkSequence => Volatile.Read(ref *(long*)(_base + RingFile.MarkSequenceOffset)); // for recovery

    /// <summary>
    /// Whether the machine has gone down since the ring was in use: its file is as old as the system's last write-back, then. For recovery.
    /// </summary>
    public bool IsFromAnotherBoot
    {
        get
        {
            var boot = new Guid(new ReadOnlySpan<byte>(_base + RingFile.BootIdOffset, 16), bigEndian: true);
            return *(long*)(_base + RingFile.ClosedOffset) == 0 && boot != Guid.Empty && boot != BootId.Current;
        }
    }

    /// <summary>
    /// Makes an empty ring in place of whatever has that name (whose frames must be in synced segments already). Its first frame will
    /// follow <paramref name="lastSequence"/>.
    /// </summary>
    public static Ring Create(IDisk disk, string path, long capacity, long lastSequence)
    {
        var ring = new Ring(RingFile.Create(disk, path, capacity, lastSequence), capacity);
        ring._mapping.LockWhenUsed();
        return ring;
    }

    /// <summary>
    /// Opens the ring that a former process left, to read what it holds; null when there is none. Throws as <see cref="RingFile.Open"/>
    /// does.
    /// </summary>
    public static Ring? OpenForRecovery(IDisk disk, string path) =>
        disk.Exists(path) ? new Ring(RingFile.Open(disk, path, out var capacity), capacity) : null;

    /// <summary>Finds room for a frame; false when the ring is too full. The frame counts only after <see cref="Publish"/>.</summary>
    public bool TryReserve(int length, out Span<byte> frame)
    {
        if (_base is null) throw new ObjectDisposedException(nameof(Ring));
        var position = _head;
        var rest = RestOfLap(position);
        var start = rest < length ? position + rest : position;
        if (start + length - Mark > Capacity)
        {
            frame = default;
            return false;
        }

        if (start != position) *(ulong*)At(position) = Pad;
        _reserved = start + length;
        frame = new Span<byte>(At(start), length);
        return true;
    }

    /// <summary>See <see cref="IJournal.HasRoomFor"/>: the end of a lap may have to stay empty, by almost the longest frame.</summary>
    public bool HasRoomFor(long bytes, int longest) => Used + bytes + longest <= Capacity;

    /// <summary>Makes the frame that was written into the last reservation visible to the reader.</summary>
    public void Publish() => Volatile.Write(ref _head, _reserved);

    /// <summary>
    /// Whole frames from <paramref name="position"/> on that lie in one piece: at most <paramref name="room"/> bytes, and no more frames
    /// once there are
    /// <paramref name="enough"/> bytes. <paramref name="position"/> moves over a pad word if one stands there.
    /// </summary>
    public RingRun NextRun(ref long position, long room, long enough)
    {
        var head = Head;
        if (position < head && PadAt(position)) position += RestOfLap(position);
        var lapEnd = position + RestOfLap(position);
        var (end, count, last) = (position, 0, 0L);
        while (end < head && end < lapEnd && end - position < enough)
        {
            if (PadAt(end)) break;
            var length = *(uint*)(At(end) + 8);
            if (end + length - position > room) break;
            last = end;
            end += length;
            count++;
        }

        if (count == 0) return default;
        var lastFrame = new ReadOnlySpan<byte>(At(last), Frame.FixedLength);
        return new RingRun((nint)At(position), (int)(end - position), count, Frame.PeekSequence(lastFrame), Frame.PeekPosition(lastFrame));
    }

    /// <summary>
    /// Gives everything before <paramref name="position"/> free: it is in synced segments, up to <paramref name="sequence"/>.
    /// </summary>
    public void Release(long position, long sequence)
    {
        Volatile.Write(ref *(long*)(_base + RingFile.MarkSequenceOffset), sequence);
        Volatile.Write(ref *(long*)(_base + RingFile.MarkOffset), position);
        Volatile.Write(ref _mark, position);
    }

    /// <summary>
    /// Overwrites what is left of frames that are in synced segments already. For the writer, between two frames. What was free before and
    /// is still is not written again.
    /// </summary>
    public void WipeFree()
    {
        if (_base is null) return;
        var (position, end) = (Math.Max(_head, _cleanThrough), Mark + Capacity);
        while (position < end)
        {
            var length = (int)Math.Min(Math.Min(end - position, RestOfLap(position)), 1 << 20);
            new Span<byte>(At(position), length).Clear();
            position += length;
        }

        _cleanThrough = Math.Max(_cleanThrough, end);
    }

    /// <summary>
    /// Copies out the frames that a former process left behind the mark, in order, up to the first that is not the next one: those that no
    /// fdatasync is known
    /// to have covered, also where a segment has them already (after a failed flush the page cache shows what the disk lacks). Older laps
    /// are passed over by
    /// their sequence. A proven header whose payload is damaged (possible only after power loss) comes along; <see cref="Frame.Read"/>
    /// tells.
    /// <see cref="Head"/> is behind the last one afterwards.
    /// </summary>
    public List<byte[]> Recover(ulong secret)
    {
        var frames = new List<byte[]>();
        var mark = Mark;
        var position = mark;
        var lastSequence = MarkSequence;
        _head = mark;
        while (position >= 0 && position - mark < Capacity)
        {
            var rest = RestOfLap(position);
            if (PadAt(position))
            {
                position += rest;
                continue;
            }

            var bytes = CopyFrameAt(position, rest);
            var state = Frame.Read(bytes, secret, out var frame);
            if (state is not (FrameState.Good or FrameState.BadPayload) || frame.Sequence > lastSequence + 1) break;
            position += frame.Length;
            if (frame.Sequence <= lastSequence) continue;
            lastSequence = frame.Sequence;
            _head = position;
            frames.Add(bytes);
        }

        return frames;
    }

    /// <summary>Notes that nothing is left behind the mark, if so, and that nothing will come.</summary>
    public void Close()
    {
        if (_base is not null && Used == 0) Volatile.Write(ref *(long*)(_base + RingFile.ClosedOffset), 1);
    }

    /// <summary>Unmaps it. Its figures can still be read.</summary>
    public void Dispose()
    {
        if (_base is null) return;
        _base = null;
        _mapping.Dispose();
        _file.Dispose();
    }

    private byte* At(long position) => _base + RingFile.HeaderLength + (position % Capacity);

    private long RestOfLap(long position) => Capacity - (position % Capacity);

    private bool PadAt(long position) => *(ulong*)At(position) == Pad;

    /// <summary>
    /// Copies as much as the frame there claims to be; a claim that cannot be true yields only the fixed part, which then fails its
    /// checksum.
    /// </summary>
    private byte[] CopyFrameAt(long position, long rest)
    {
        var fixedPart = new ReadOnlySpan<byte>(At(position), (int)Math.Min(Frame.FixedLength, rest));
        var claimed = fixedPart.Length < Frame.FixedLength ? 0 : Frame.PeekLength(fixedPart);
        return claimed > Frame.FixedLength && claimed <= Frame.MaxLength && claimed <= rest
            ? new ReadOnlySpan<byte>(At(position), claimed).ToArray()
            : fixedPart.ToArray();
    }
}
