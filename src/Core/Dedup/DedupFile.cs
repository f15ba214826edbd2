using System.Buffers.Binary;
using System.IO.Hashing;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// The file in which a stopped process leaves the dedup ids that it knew (<see cref="KnownIds"/>), so that the next one need not ask the
/// store for each new id of the first day.
/// <code>
///  0 u64 magic   8 u32 version   12 u32 filters   16 u64 position of the last event accepted   24 i64 known since (Unix ms)
/// 32 for each filter: i64 newest (Unix ms), i32 capacity, i32 count, its blocks
///    u64 checksum of all before, seeded with the directory's secret
/// </code>
/// It is worth something only while nothing was accepted since: that is what the position is for. A file that is damaged, of another
/// directory or of another version is as good as none. Of this machine alone: the blocks are in its byte order.
/// </summary>
internal static class DedupFile
{
    /// <summary>Its name in the data directory.</summary>
    public const string Name = "dedup";

    private const ulong Magic = 0x3144_4544_5041_5A00; // "\0ZAPDED1"
    private const uint Version = 1;
    private const int HeaderLength = 32;
    private const int FilterLength = 16;
    private const int ChecksumLength = 8;

    /// <summary>Writes it, in place of the one before.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="position">Of the last event accepted.</param>
    /// <param name="known">What is known.</param>
    /// <exception cref="IOException">The disk is full or fails; then there is none, or the one before.</exception>
    public static void Write(DataDirectory directory, ulong position, KnownIds known)
    {
        var (path, fresh) = (PathOf(directory), PathOf(directory) + ".new");
        directory.Disk.Delete(fresh);
        using (var file = directory.Disk.Create(fresh))
        {
            var (hash, offset) = (new XxHash3((long)directory.FrameSecret), 0L);
            var header = new byte[HeaderLength];
            BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Version);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), (uint)known.Filters.Count);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(16), position);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), known.SinceMs);
            Append(header);
            foreach (var filter in known.Filters)
            {
                var head = new byte[FilterLength];
                BinaryPrimitives.WriteInt64LittleEndian(head, filter.NewestMs);
                BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8), filter.Keys.Capacity);
                BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(12), filter.Keys.Count);
                Append(head);
                Append(filter.Keys.Blocks);
            }

            var checksum = new byte[ChecksumLength];
            BinaryPrimitives.WriteUInt64LittleEndian(checksum, hash.GetCurrentHashAsUInt64());
            file.Write(checksum, offset);
            file.SyncData();

            void Append(ReadOnlySpan<byte> bytes)
            {
                hash.Append(bytes);
                file.Write(bytes, offset);
                offset += bytes.Length;
            }
        }

        directory.Disk.Move(fresh, path);
        directory.Disk.SyncDirectory(directory.Path);
    }

    /// <summary>
    /// Reads it and frees its name; null when there is none that is worth anything: none at all, a damaged one, or one from before another
    /// event was accepted.
    /// </summary>
    /// <param name="directory">Where.</param>
    /// <param name="position">Of the last event accepted, as this start knows it.</param>
    /// <exception cref="IOException">The disk fails.</exception>
    public static KnownIds? Take(DataDirectory directory, ulong position)
    {
        var path = PathOf(directory);
        if (!directory.Disk.Exists(path)) return null;
        KnownIds? known;
        using (var file = directory.Disk.Open(path))
        {
            var bytes = new byte[file.Length];
            var read = 0;
            while (read < bytes.Length && file.Read(bytes.AsSpan(read), read) is > 0 and var count) read += count;
            known = read == bytes.Length ? Read(bytes, directory.FrameSecret, position) : null;
        }

        directory.Disk.Delete(path);
        return known;
    }

    private static KnownIds? Read(ReadOnlySpan<byte> bytes, ulong secret, ulong position)
    {
        if (bytes.Length < HeaderLength + ChecksumLength) return null;
        var content = bytes[..^ChecksumLength];
        var checksum = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^ChecksumLength..]);
        if (XxHash3.HashToUInt64(content, (long)secret) != checksum || BinaryPrimitives.ReadUInt64LittleEndian(content) != Magic)
            return null;

        // From here on the file is what some version of this server wrote.
        if (BinaryPrimitives.ReadUInt32LittleEndian(content[8..]) != Version) return null;
        if (BinaryPrimitives.ReadUInt64LittleEndian(content[16..]) != position) return null;
        var filters = new AgedFilter[BinaryPrimitives.ReadUInt32LittleEndian(content[12..])];
        var rest = content[HeaderLength..];
        foreach (ref var filter in filters.AsSpan())
        {
            var keys = new KeyFilter(BinaryPrimitives.ReadInt32LittleEndian(rest[8..]), BinaryPrimitives.ReadInt32LittleEndian(rest[12..]));
            rest.Slice(FilterLength, keys.Blocks.Length).CopyTo(keys.Blocks);
            filter = new AgedFilter(keys) { NewestMs = BinaryPrimitives.ReadInt64LittleEndian(rest) };
            rest = rest[(FilterLength + keys.Blocks.Length)..];
        }

        return new KnownIds(BinaryPrimitives.ReadInt64LittleEndian(content[24..]), filters);
    }

    private static string PathOf(DataDirectory directory) => Path.Combine(directory.Path, Name);
}
