using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Overwrites with zeros what the pages of a database file hold beside their content (sqlite.org/fileformat2.html, 1.5 and 1.6). Where a
/// page is split or merged, SQLite leaves copies of rows between its cell pointers and its cells, whatever <c>secure_delete</c> says; and
/// pages that became free by expiring stay as they were. Nothing ever reads these bytes, so they are overwritten in place, without a log:
/// whatever part of that a power cut leaves undone, the file is as good as before. Not safe for concurrent use.
/// </summary>
/// <remarks>
/// The file stays open until the end: on POSIX systems closing it would end the locks that SQLite's connections in this process have on it.
/// </remarks>
internal sealed class SqliteFreeSpace(string path) : IDisposable
{
    /// <summary>
    /// In a file of so many pages (128 GiB) nothing is overwritten: an overflow page begins with the number of the next one, whose first
    /// byte could from here on be that of a tree's page.
    /// </summary>
    private const long TooManyPages = 0x0200_0000;

    private const int HeaderBytes = 100;
    private const int BytesRead = 1 << 20;

    /// <summary>As many as the largest page has bytes.</summary>
    private static readonly byte[] Zeros = new byte[65_536];

    private SafeFileHandle? _file;

    private enum PageUse : byte
    {
        /// <summary>A page of a tree, or one that a row overflows to.</summary>
        Content,

        /// <summary>On the list of free pages: nothing in it means anything.</summary>
        Free,

        /// <summary>Free, too, and holds a part of that list.</summary>
        List,
    }

    /// <summary>
    /// Overwrites in some pages. Only while nobody writes, with the log empty, so that the file is all there is. Whoever has read such a
    /// page has to forget it before writing it again. Throws <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/>.
    /// </summary>
    /// <param name="first">The first of them, from 0.</param>
    /// <param name="count">How many, at most.</param>
    /// <returns>The page to go on with, null behind the last; and whether anything was there to be overwritten.</returns>
    public (long? Next, bool HasChanged) Overwrite(long first, long count)
    {
        var file = _file ??= File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (!TryRead(file, header, 0)) return (null, false); // a new file, without a table
        var layout = Layout.Of(header);
        var pages = RandomAccess.GetLength(file) / layout.PageSize;
        if (pages >= TooManyPages) return (null, false);
        var end = first + Math.Clamp(pages - first, 0, count);
        var buffer = ArrayPool<byte>.Shared.Rent(BytesRead);
        try
        {
            var uses = ReadUses(file, layout, first, end, buffer);
            var hasChanged = false;
            for (var from = first; from < end; from += BytesRead / layout.PageSize)
            {
                var to = Math.Min(end, from + (BytesRead / layout.PageSize));
                var bytes = buffer.AsSpan(0, (int)(to - from) * layout.PageSize);
                if (!TryRead(file, bytes, from * layout.PageSize)) break;
                for (var page = from; page < to; page++)
                {
                    var content = bytes.Slice((int)(page - from) * layout.PageSize, layout.UsableSize);
                    hasChanged |= TryOverwrite(file, page * layout.PageSize, content, uses[page - first], isFirst: page == 0);
                }
            }

            if (hasChanged) DurableFile.SyncData(file);
            return (end < pages ? end : null, hasChanged);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    /// <summary>What the list of free pages says of the pages between.</summary>
    private static PageUse[] ReadUses(SafeFileHandle file, Layout layout, long first, long end, Span<byte> buffer)
    {
        var uses = new PageUse[end - first];
        var page = buffer[..layout.PageSize];
        var left = layout.FreePages; // bounds the walk, should the list be damaged
        for (var list = layout.FirstListPage; list > 0 && left > 0; list = Number(page, 0))
        {
            if (!TryRead(file, page, (list - 1) * layout.PageSize)) break;
            Mark(list, PageUse.List);
            var entries = Math.Min(Number(page, 4), (layout.UsableSize / 4) - 2);
            for (var i = 0; i < entries; i++) Mark(Number(page, 8 + (4 * i)), PageUse.Free);
            left -= 1 + entries;
        }

        return uses;

        void Mark(long number, PageUse use)
        {
            if (number > first && number <= end) uses[number - 1 - first] = use; // numbers begin at 1
        }
    }

    private static bool TryOverwrite(SafeFileHandle file, long offset, ReadOnlySpan<byte> page, PageUse use, bool isFirst)
    {
        var (from, to) = use switch
        {
            PageUse.Free => (0, page.Length),
            PageUse.List => (Math.Min(8 + (4 * Number(page, 4)), page.Length), page.Length),
            _ => Gap(page, isFirst ? HeaderBytes : 0),
        };
        var dirty = page[(int)from..(int)to];
        if (!dirty.ContainsAnyExcept((byte)0)) return false;
        RandomAccess.Write(file, Zeros.AsSpan(0, dirty.Length), offset + from);
        return true;
    }

    /// <summary>Of a tree's page what is between its cell pointers and the first of its cells; nothing of any other page.</summary>
    private static (long From, long To) Gap(ReadOnlySpan<byte> page, int at)
    {
        const byte InnerIndex = 2, InnerTable = 5, LeafIndex = 10, LeafTable = 13;
        var headerBytes = page[at] switch { InnerIndex or InnerTable => 12, LeafIndex or LeafTable => 8, _ => 0 };
        if (headerBytes == 0) return default;
        var from = at + headerBytes + (2 * BinaryPrimitives.ReadUInt16BigEndian(page[(at + 3)..]));
        int to = BinaryPrimitives.ReadUInt16BigEndian(page[(at + 5)..]);
        return from <= to && to <= page.Length ? (from, to) : default;
    }

    private static long Number(ReadOnlySpan<byte> page, int at) => BinaryPrimitives.ReadUInt32BigEndian(page[at..]);

    private static bool TryRead(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            var read = RandomAccess.Read(file, bytes, offset);
            if (read == 0) return false;
            bytes = bytes[read..];
            offset += read;
        }

        return true;
    }

    /// <summary>What the file's header says.</summary>
    private readonly record struct Layout(int PageSize, int UsableSize, long FirstListPage, long FreePages)
    {
        public static Layout Of(ReadOnlySpan<byte> header)
        {
            int size = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
            if (size == 1) size = 65_536;
            return new Layout(size, size - header[20], Number(header, 32), Number(header, 36));
        }
    }
}
