using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// The system's disk, on which flushes of files opened by name (a segment's flushers) can be held, let through and made to fail one by one.
/// </summary>
internal sealed class GatedDisk : IDisk
{
    private readonly Lock _lock = new();
    private readonly List<HeldFlush> _held = [];
    private bool _holds;

    /// <summary>Flushes that wait now, in the order in which they came.</summary>
    public IReadOnlyList<HeldFlush> Held
    {
        get
        {
            lock (_lock) return [.. _held];
        }
    }

    /// <summary>From now on every flush waits until it is let go.</summary>
    public void Hold()
    {
        lock (_lock) _holds = true;
    }

    /// <summary>Lets all go, now and from now on.</summary>
    public void LetGo()
    {
        lock (_lock) _holds = false;
        foreach (var flush in Held) flush.LetGo();
    }

    public bool Exists(string path) => SystemDisk.Instance.Exists(path);

    public IEnumerable<string> List(string directory, string ending) => SystemDisk.Instance.List(directory, ending);

    public IDiskFile Create(string path) => SystemDisk.Instance.Create(path);

    public IDiskFile Open(string path) => new GatedFile(this, SystemDisk.Instance.Open(path));

    public void Delete(string path) => SystemDisk.Instance.Delete(path);

    public void Move(string from, string to) => SystemDisk.Instance.Move(from, to);

    public void SyncDirectory(string path) => SystemDisk.Instance.SyncDirectory(path);

    private void Pass()
    {
        var flush = new HeldFlush();
        lock (_lock)
        {
            if (!_holds) return;
            _held.Add(flush);
        }

        try
        {
            flush.Wait();
        }
        finally
        {
            lock (_lock) _held.Remove(flush);
        }
    }

    /// <summary>A flush that has begun and not ended.</summary>
    internal sealed class HeldFlush
    {
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void LetGo() => _end.TrySetResult();

        public void Fail() => _end.TrySetException(new IOException("The device failed."));

        public void Wait() => _end.Task.GetAwaiter().GetResult();
    }

    private sealed class GatedFile(GatedDisk disk, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

        public void Write(ReadOnlySpan<byte> bytes, long offset) => file.Write(bytes, offset);

        public void SetLength(long length) => file.SetLength(length);

        public void Reserve(long length) => file.Reserve(length);

        public void SyncData()
        {
            file.SyncData();
            disk.Pass();
        }

        public IMapping Map(long length) => file.Map(length);

        public void Dispose() => file.Dispose();
    }
}
