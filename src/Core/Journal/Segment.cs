using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// A file of frames in order, named by its first sequence, written once from front to back and never reused.
/// <code>
///  0 u64 magic   8 u32 version (2 = written anew, events were erased)   16 i64 first sequence   24 i64 last sequence of the segment
/// before (0 = none) 32 journal id (16)             56 u64 checksum of bytes 0 to 56, seeded
/// 64 frames, then zeros
/// </code>
/// Each segment names what went before it, so a missing one is noticed, and the frames of one process never share a sequence with
/// another's.
/// </summary>
internal sealed class Segment : IDisposable
{
    /// <summary>Bytes before the first frame.</summary>
    public const int HeaderLength = 64;

    /// <summary>Ending of segment files.</summary>
    public const string Extension = ".segment";

    private const ulong Magic = 0x314745535041_5A00; // "\0ZAPSEG1"
    private const uint Version = 1;
    private const uint RewrittenVersion = 2;

    // Some milliseconds of the disk's time, for some thousands of events.
    private const int PreparedAtOnce = 4 << 20;
    private static readonly byte[] Zeros = new byte[256 << 10];

    private long _preparedEnd = HeaderLength;
    private long _end = HeaderLength;
    private int _sealed;

    private Segment(string path, IDiskFile file, long firstSequence, long previousSequence)
    {
        Path = path;
        File = file;
        FirstSequence = firstSequence;
        PreviousSequence = previousSequence;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Open for reading and, while it is the newest, writing.</summary>
    public IDiskFile File { get; private set; }

    /// <summary>Sequence of its first frame (which may not be written yet).</summary>
    public long FirstSequence { get; }

    /// <summary>Last sequence of the segment before; 0 = none.</summary>
    public long PreviousSequence { get; }

    /// <summary>End of the bytes that fdatasync has covered and a reader may read.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Whether nothing more will be written to it.</summary>
    public bool IsSealed => Volatile.Read(ref _sealed) != 0;

    /// <summary>Timestamp (of the time provider) at which all of it was stored; null = not yet.</summary>
    public long? StoredAt { get; set; }

    /// <summary>Whether it is being written anew, so that it must stay; guarded by its log.</summary>
    public bool IsHeld { get; set; }

    /// <summary>
    /// The header of the file that takes this one's place when events of it are erased: of a version that a server which does not know
    /// erased frames refuses, instead of taking the first one for damage.
    /// </summary>
    public byte[] RewrittenHeader(DataDirectory owner) => Header(owner, RewrittenVersion, FirstSequence, PreviousSequence);

    /// <summary>Goes on with the file that took the place of its own. Nobody reads or writes it meanwhile.</summary>
    public void Replace(IDiskFile file)
    {
        File.Dispose();
        File = file;
    }

    /// <summary>
    /// Reserves a segment's blocks ahead of need, under a name that recovery ignores. Throws <see cref="IOException"/> on a full disk.
    /// </summary>
    public static IDiskFile Reserve(DataDirectory owner, long bytes)
    {
        var path = ReservedPath(owner);
        owner.Disk.Delete(path);
        var file = owner.Disk.Create(path);
        try
        {
            file.Reserve(bytes);
            Failpoint.Pass(Failpoint.SegmentReserved);
            return file;
        }
        catch
        {
            file.Dispose();
            owner.Disk.Delete(path);
            throw;
        }
    }

    /// <summary>
    /// Turns reserved blocks into the next segment: header, flush, name, directory flush, in this order, before the first frame.
    /// </summary>
    public static Segment Create(DataDirectory owner, IDiskFile reserved, long firstSequence, long previousSequence)
    {
        reserved.Write(Header(owner, Version, firstSequence, previousSequence), 0);
        reserved.SyncData();
        Failpoint.Pass(Failpoint.SegmentHeaded);

        var path = FreeName(owner, firstSequence);
        owner.Disk.Move(ReservedPath(owner), path);
        Failpoint.Pass(Failpoint.SegmentNamed);
        owner.Disk.SyncDirectory(owner.JournalPath);
        Failpoint.Pass(Failpoint.SegmentMade);
        return new Segment(path, reserved, firstSequence, previousSequence);
    }

    private static byte[] Header(DataDirectory owner, uint version, long firstSequence, long previousSequence)
    {
        var bytes = new byte[HeaderLength];
        var header = bytes.AsSpan();
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], version);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], firstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], previousSequence);
        owner.JournalId.TryWriteBytes(header[32..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(header[56..], XxHash3.HashToUInt64(header[..56], (long)owner.FrameSecret));
        return bytes;
    }

    private static string ReservedPath(DataDirectory owner) => System.IO.Path.Combine(owner.JournalPath, "next.reserved");

    /// <summary>
    /// The name sorts by first sequence, then by age: a start that rewrites what the ring still held may begin with a sequence that a torn
    /// segment began with.
    /// </summary>
    private static string FreeName(DataDirectory owner, long firstSequence)
    {
        for (var copy = 0; ; copy++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{firstSequence:x16}-{copy:d4}{Extension}");
            var path = System.IO.Path.Combine(owner.JournalPath, name);
            if (!owner.Disk.Exists(path)) return path;
        }
    }

    /// <summary>
    /// Opens a segment that is there. Throws <see cref="JournalException"/> when it is of a newer version, of another journal, or its
    /// header is damaged.
    /// </summary>
    public static Segment Open(string path, DataDirectory owner)
    {
        var file = owner.Disk.Open(path);
        try
        {
            Span<byte> header = stackalloc byte[HeaderLength];
            var read = file.Read(header, 0);
            Validate(path, header[..read], owner);
            var first = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
            return new Segment(path, file, first, BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes sure that the bytes before <paramref name="end"/>, and some more, have blocks that were written and flushed. A flush of what
    /// is written over them afterwards needs nothing of the file system but the device: its journal has no part in it. Blocks that are only
    /// reserved must first be told from zeros by that journal, and while a file system is going down under a running kernel, fdatasync may
    /// succeed although that was lost (docs/decisions).
    /// </summary>
    public void Prepare(long end)
    {
        var length = File.Length;
        if (_preparedEnd >= Math.Min(end, length)) return;
        var goal = Math.Min(length, end + PreparedAtOnce);
        while (_preparedEnd < goal)
        {
            var count = (int)Math.Min(Zeros.Length, goal - _preparedEnd);
            File.Write(Zeros.AsSpan(0, count), _preparedEnd);
            _preparedEnd += count;
        }

        File.SyncData();
    }

    /// <summary>Lets readers go up to <paramref name="end"/>: it is flushed.</summary>
    public void AdvanceEnd(long end) => Volatile.Write(ref _end, end);

    /// <summary>Says that nothing more will be written.</summary>
    public void Seal() => Volatile.Write(ref _sealed, 1);

    /// <summary>Gives back the reserved blocks behind the last frame of a sealed segment.</summary>
    public void TrimReserve()
    {
        if (File.Length > End) File.SetLength(End);
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();

    private static void Validate(string path, ReadOnlySpan<byte> header, DataDirectory owner)
    {
        const string Remedy = "Restore it from a backup, or move it away: the next start says how to go on without its events.";
        if (header.Length < HeaderLength || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic)
            throw new JournalException($"{path} is not a journal segment (its first bytes are damaged or missing). {Remedy}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) > RewrittenVersion)
            throw new JournalException($"{path} was written by a newer version of this server. Start that version.");
        if (new Guid(header.Slice(32, 16), bigEndian: true) != owner.JournalId)
            throw new JournalException($"{path} belongs to another data directory. Move it back there.");
        if (BinaryPrimitives.ReadUInt64LittleEndian(header[56..]) != XxHash3.HashToUInt64(header[..56], (long)owner.FrameSecret))
            throw new JournalException($"{path} has a damaged header. {Remedy}");
    }
}
