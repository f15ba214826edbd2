using System.Buffers.Binary;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// The file behind a <see cref="Ring"/>, version 1, little-endian:
/// <code>
///    0 u64 magic   8 u32 version   16 i64 capacity
///   64 i64 mark: position up to which everything is in synced segments   72 i64 sequence of the last frame before the mark
///   80 boot id of the machine (16)   96 i64 1 = closed in order, with nothing left behind the mark
/// 4096 frames; a position p (bytes ever written) stands at 4096 + p mod capacity; a frame never wraps: where the rest of a lap is too
///      short for it, a pad word of ones says to go on at the next lap
/// </code>
/// </summary>
internal static class RingFile
{
    /// <summary>Bytes before the frames: one page.</summary>
    public const int HeaderLength = 4096;

    /// <summary>Where the mark stands.</summary>
    public const int MarkOffset = 64;

    /// <summary>Where the mark's sequence stands.</summary>
    public const int MarkSequenceOffset = 72;

    /// <summary>Where the machine's boot id stands.</summary>
    public const int BootIdOffset = 80;

    /// <summary>Where it stands whether the ring was closed in order.</summary>
    public const int ClosedOffset = 96;

    private const ulong Magic = 0x31474E495250415A; // "ZAPRING1"
    private const uint Version = 1;
    private const int HeaderUsed = 104;

    /// <summary>
    /// Makes an empty file with real blocks under that name. Its header is flushed before it gets the name: a ring without a header is
    /// damaged, never new.
    /// Throws <see cref="IOException"/> on a full disk.
    /// </summary>
    public static IDiskFile Create(IDisk disk, string path, long capacity, long lastSequence)
    {
        var temporary = path + ".new";
        disk.Delete(temporary);
        var file = disk.Create(temporary);
        try
        {
            file.Reserve(HeaderLength + capacity);
            Span<byte> header = stackalloc byte[HeaderUsed];
            header.Clear();
            BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
            BinaryPrimitives.WriteInt64LittleEndian(header[16..], capacity);
            BinaryPrimitives.WriteInt64LittleEndian(header[MarkSequenceOffset..], lastSequence);
            BootId.Current.TryWriteBytes(header[BootIdOffset..], bigEndian: true, out _);
            file.Write(header, 0);
            file.SyncData();
            Failpoint.Pass(Failpoint.RingMade);
            disk.Move(temporary, path);
            Failpoint.Pass(Failpoint.RingNamed);
            disk.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return file;
        }
        catch
        {
            file.Dispose();
            disk.Delete(temporary); // gives the space back; nothing was kept in it
            throw;
        }
    }

    /// <summary>
    /// Opens a file that a former process left. Throws <see cref="JournalException"/> when it is damaged or of a newer version: what it
    /// holds may be nowhere else.
    /// </summary>
    public static IDiskFile Open(IDisk disk, string path, out long capacity)
    {
        var file = disk.Open(path);
        try
        {
            Span<byte> header = stackalloc byte[HeaderUsed];
            header.Clear();
            _ = file.Read(header, 0); // a short file has no magic or not the right length
            capacity = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
            var mark = BinaryPrimitives.ReadInt64LittleEndian(header[MarkOffset..]);
            if (BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic)
            {
                if (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) > Version) throw Newer(path);
                var fits = capacity > 0 && capacity % 8 == 0 && file.Length == HeaderLength + capacity;
                if (fits && mark >= 0 && mark % 8 == 0) return file;
            }

            throw new JournalException(
                $"{path} is damaged. Restore it from a backup, or move it away to go on without the events that only it holds (those "
                + "of the last flush interval).");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static JournalException Newer(string path) => new(
        $"{path} was written by a newer version of this server. Start that version, or move the file away to go on without the "
        + "events that only it holds.");
}
