using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// A memory-mapped file that holds every frame from its acceptance until fdatasync has covered it in a segment. It outlives the process: what a killed server
/// had answered is found here from <see cref="Mark"/> on.
/// <code>
///    0 u64 magic   8 u32 version   16 i64 capacity
///   64 i64 mark: position up to which everything is in synced segments   72 i64 sequence of the last frame before the mark
/// 4096 frames; a position p (bytes ever written) stands at 4096 + p mod capacity; a frame never wraps: where the rest of a lap is too
///      short for it, a pad word of ones says to go on at the next lap
/// </code>
/// One writer (the sequencer) moves <see cref="Head"/>, one reader (the journal writer) moves <see cref="Mark"/>; no locks.
/// </summary>
internal sealed unsafe class Ring : IDisposable
{
    /// <summary>Bytes before the frames: one page.</summary>
    public const int HeaderLength = 4096;

    private const ulong Magic = 0x31474E495250415A; // "ZAPRING1"
    private const uint Version = 1;
    private const int MarkOffset = 64;
    private const int MarkSequenceOffset = 72;
    private const ulong Pad = ulong.MaxValue;

    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _base;
    private long _head;
    private long _reserved;

    private Ring(SafeFileHandle file, long capacity)
    {
        Capacity = capacity;
        _file = file;
        _map = MemoryMappedFile.CreateFromFile(file, null, HeaderLength + capacity, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _base);
    }

    /// <summary>Bytes for frames.</summary>
    public long Capacity { get; }

    /// <summary>Position behind the last whole frame.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>Position up to which everything is in synced segments; kept in the file by one aligned store.</summary>
    public long Mark => Volatile.Read(ref *(long*)(_base + MarkOffset));

    /// <summary>Bytes that are not in synced segments yet.</summary>
    public long Used => Head - Mark;

    /// <summary>Makes an empty ring with real blocks, in place of whatever has that name (whose frames must be in synced segments already). Its first frame will follow <paramref name="lastSequence"/>.</summary>
    public static Ring Create(string path, long capacity, long lastSequence)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        DurableFile.Reserve(file, HeaderLength + capacity);
        var ring = new Ring(file, capacity);
        var header = new Span<byte>(ring._base, HeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], capacity);
        BinaryPrimitives.WriteInt64LittleEndian(header[MarkSequenceOffset..], lastSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        DurableFile.Populate(ring._base, HeaderLength + capacity);
        File.Move(temporary, path, overwrite: true);
        DurableFile.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return ring;
    }

    /// <summary>Opens the ring that a former process left, to read what it holds; null when there is none, or none that was finished.</summary>
    public static Ring? OpenForRecovery(string path)
    {
        if (!File.Exists(path)) return null;
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        Span<byte> header = stackalloc byte[MarkOffset];
        var read = RandomAccess.Read(file, header, 0);
        var capacity = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        if (read < MarkOffset || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic || capacity <= 0 || RandomAccess.GetLength(file) < HeaderLength + capacity)
        {
            file.Dispose();
            return null;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) <= Version) return new Ring(file, capacity);
        file.Dispose();
        throw new JournalException($"{path} was written by a newer version of this server. Start that version, or move the file away to go on without what it holds.");
    }

    /// <summary>Finds room for a frame; false when the ring is too full. The frame counts only after <see cref="Publish"/>.</summary>
    public bool TryReserve(int length, out Span<byte> frame)
    {
        var position = _head;
        var rest = Capacity - (position % Capacity);
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

    /// <summary>Makes the frame that was written into the last reservation visible to the reader.</summary>
    public void Publish() => Volatile.Write(ref _head, _reserved);

    /// <summary>
    /// The longest run of whole frames from <paramref name="position"/> on that lies in one piece and is at most <paramref name="maxLength"/> bytes.
    /// <paramref name="position"/> moves over a pad word if one stands there.
    /// </summary>
    public RingRun NextRun(ref long position, long maxLength)
    {
        var head = Head;
        if (position < head && *(ulong*)At(position) == Pad) position += Capacity - (position % Capacity);
        var lapEnd = position + Capacity - (position % Capacity);
        var (end, count, last) = (position, 0, 0L);
        while (end < head && end < lapEnd)
        {
            var at = At(end);
            if (*(ulong*)at == Pad) break;
            var length = *(uint*)(at + 8);
            if (end + length - position > maxLength) break;
            last = end;
            end += length;
            count++;
        }

        if (count == 0) return default;
        var lastFrame = new ReadOnlySpan<byte>(At(last), Frame.FixedLength);
        return new RingRun((nint)At(position), (int)(end - position), count, Frame.PeekSequence(lastFrame), Frame.PeekPosition(lastFrame));
    }

    /// <summary>Gives everything before <paramref name="position"/> free: it is in synced segments, up to <paramref name="sequence"/>.</summary>
    public void Release(long position, long sequence)
    {
        Volatile.Write(ref *(long*)(_base + MarkSequenceOffset), sequence);
        Volatile.Write(ref *(long*)(_base + MarkOffset), position);
    }

    /// <summary>
    /// Copies out the frames that a former process left behind the mark, in order, up to the first that is not the next one: those that no fdatasync is known to have covered, also where a
    /// segment has them already (after a failed flush the page cache shows what the disk lacks). Older laps are passed over by their sequence. A proven header whose payload is damaged
    /// (possible only after power loss) is left out and reported.
    /// </summary>
    public IEnumerable<byte[]> Recover(ulong secret, Action<ReadFrame> damaged)
    {
        var mark = Mark;
        var position = mark;
        var lastSequence = MarkSequence;
        while (position >= 0 && position - mark < Capacity)
        {
            var rest = Capacity - (position % Capacity);
            if (PadAt(position))
            {
                position += rest;
                continue;
            }

            var bytes = CopyFrameAt(position, rest);
            var state = Frame.Read(bytes, secret, out var frame);
            if (state is not (FrameState.Good or FrameState.BadPayload) || frame.Sequence > lastSequence + 1) yield break;
            position += frame.Length;
            if (frame.Sequence <= lastSequence) continue;
            lastSequence = frame.Sequence;
            if (state == FrameState.Good) yield return bytes;
            else damaged(frame);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }

    private byte* At(long position) => _base + HeaderLength + (position % Capacity);

    private long MarkSequence => *(long*)(_base + MarkSequenceOffset);

    private bool PadAt(long position) => *(ulong*)At(position) == Pad;

    /// <summary>Copies as much as the frame there claims to be; a claim that cannot be true yields only the fixed part, which then fails its checksum.</summary>
    private byte[] CopyFrameAt(long position, long rest)
    {
        var fixedPart = new ReadOnlySpan<byte>(At(position), (int)Math.Min(Frame.FixedLength, rest));
        var claimed = fixedPart.Length < Frame.FixedLength ? 0 : Frame.PeekLength(fixedPart);
        return claimed > Frame.FixedLength && claimed <= Frame.MaxLength && claimed <= rest
            ? new ReadOnlySpan<byte>(At(position), claimed).ToArray()
            : fixedPart.ToArray();
    }
}

/// <summary>Whole frames in one piece of the ring.</summary>
/// <param name="Address">Where they start.</param>
/// <param name="Length">Their bytes; 0 = there are none.</param>
/// <param name="Count">How many.</param>
/// <param name="LastSequence">Sequence of the last.</param>
/// <param name="LastPosition">High word of the id of the last.</param>
internal readonly record struct RingRun(nint Address, int Length, int Count, long LastSequence, ulong LastPosition);
