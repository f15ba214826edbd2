using System.Runtime.InteropServices;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// A file's bytes on the simulated machine, twice: as the page cache shows them (what a process crash leaves) and as the device has them.
/// A power cut leaves the device's, and of the pages written since, any subset.
/// </summary>
internal sealed unsafe class Inode(Random random) : IDisposable
{
    public const int PageBytes = 4096;

    private static readonly byte[] Zeros = new byte[PageBytes];

    private readonly Dictionary<long, byte[]> _cached = [];
    private readonly Dictionary<long, byte[]> _durable = [];
    private readonly HashSet<long> _dirty = [];
    private byte* _memory;
    private long _mapped;
    private long _durableLength;

    /// <summary>Bytes, as the process sees it.</summary>
    public long Length { get; private set; }

    /// <summary>Where it is mapped; null when it is not.</summary>
    public byte* Memory => _memory;

    /// <summary>Bytes that are mapped.</summary>
    public long MappedLength => _mapped;

    /// <summary>Lengthens or cuts it.</summary>
    public void SetLength(long length)
    {
        Length = length;
        foreach (var page in _cached.Keys.Where(page => page * PageBytes >= length).ToList())
        {
            _cached.Remove(page);
            _dirty.Remove(page);
        }

        if (length % PageBytes != 0 && _cached.ContainsKey(length / PageBytes))
            Writable(length / PageBytes).AsSpan((int)(length % PageBytes)).Clear();
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        Length = Math.Max(Length, offset + bytes.Length);
        while (bytes.Length > 0)
        {
            var at = (int)(offset % PageBytes);
            var count = Math.Min(bytes.Length, PageBytes - at);
            bytes[..count].CopyTo(WritablePage(offset / PageBytes)[at..]);
            bytes = bytes[count..];
            offset += count;
        }
    }

    public int Read(Span<byte> buffer, long offset)
    {
        var wanted = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        for (var read = 0; read < wanted;)
        {
            var at = (int)((offset + read) % PageBytes);
            var count = Math.Min(wanted - read, PageBytes - at);
            Page((offset + read) / PageBytes).Slice(at, count).CopyTo(buffer[read..]);
            read += count;
        }

        return wanted;
    }

    /// <summary>The pages in one piece of memory, from now on the file's only copy of them in the cache.</summary>
    public byte* Map(long length)
    {
        if (_memory is not null) return _memory;
        var memory = (byte*)NativeMemory.AllocZeroed((nuint)length);
        foreach (var (page, bytes) in _cached) bytes.CopyTo(new Span<byte>(memory + (page * PageBytes), PageBytes));
        _memory = memory;
        _mapped = length;
        _cached.Clear();
        _dirty.Clear();
        return memory;
    }

    /// <summary>The flush: all that was written is on the device.</summary>
    public void Sync()
    {
        foreach (var page in _dirty) _durable[page] = _cached[page];
        _dirty.Clear();
        _durableLength = Length;
    }

    /// <summary>
    /// A flush that fails: some pages came to the device; the others are taken for clean nevertheless, so no later flush writes them.
    /// </summary>
    public void FailSync()
    {
        foreach (var page in _dirty)
        {
            if (random.Next(2) == 0) _durable[page] = _cached[page];
        }

        _dirty.Clear();
    }

    /// <summary>The system writes some pages whenever it likes.</summary>
    public void WriteBack()
    {
        foreach (var page in _dirty.Where(_ => random.Next(2) == 0).ToList())
        {
            _durable[page] = _cached[page];
            _dirty.Remove(page);
            _durableLength = Math.Max(_durableLength, Math.Min(Length, (page + 1) * PageBytes));
        }

        for (var i = 0; _memory is not null && i < 4; i++)
        {
            var page = random.Next(3) == 0 ? 0 : random.Next((int)(_mapped / PageBytes));
            _durable[page] = MappedPage(page).ToArray();
        }
    }

    /// <summary>The power is cut and comes back: that many per cent of what is not known to be on the device are lost.</summary>
    public void CutPower(int percentLost)
    {
        if (random.Next(100) < percentLost) SetLength(Math.Min(Length, _durableLength));
        foreach (var page in _dirty)
        {
            if (random.Next(100) >= percentLost) _durable[page] = _cached[page];
        }

        _dirty.Clear();
        _cached.Clear();
        foreach (var (page, bytes) in _durable.Where(pair => pair.Key * PageBytes < Length)) _cached[page] = bytes;
        for (var page = 0L; page < _mapped / PageBytes; page++) CutPage(page, percentLost);
        _durableLength = Length;
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private void CutPage(long page, int percentLost)
    {
        var memory = MappedPage(page);
        var durable = _durable.GetValueOrDefault(page, Zeros);
        if (memory.SequenceEqual(durable)) return;

        // Devices write sectors: a page can be torn between them.
        var isTorn = random.Next(8) == 0;
        var isLost = random.Next(100) < percentLost;
        for (var sector = 0; sector < PageBytes; sector += 512)
        {
            if (isTorn ? random.Next(2) == 0 : isLost) durable.AsSpan(sector, 512).CopyTo(memory[sector..]);
        }

        _durable[page] = memory.ToArray();
    }

    private Span<byte> MappedPage(long page) => new(_memory + (page * PageBytes), PageBytes);

    private ReadOnlySpan<byte> Page(long page)
    {
        if (page < _mapped / PageBytes) return MappedPage(page);
        return _cached.GetValueOrDefault(page, Zeros);
    }

    /// <summary>The page's bytes for writing; what the device has is left alone.</summary>
    private Span<byte> WritablePage(long page) => page < _mapped / PageBytes ? MappedPage(page) : Writable(page);

    private byte[] Writable(long page)
    {
        if (!_cached.TryGetValue(page, out var bytes)) _cached[page] = bytes = new byte[PageBytes];
        else if (!_dirty.Contains(page)) _cached[page] = bytes = [.. bytes];
        _dirty.Add(page);
        return bytes;
    }
}
