using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Bench.Operations;

/// <summary>
/// A real ring without a writer behind it: room is given back at once, so that an operation can run for ever without filling a disk.
/// </summary>
internal sealed class RingJournal : IJournal
{
    private const ulong Secret = 42;

    private readonly Ring _ring = Ring.Create(
        SystemDisk.Instance,
        Path.Combine(Directory.CreateTempSubdirectory("bench-ring").FullName, Ring.FileName),
        16 << 20,
        lastSequence: 0);

    private long _sequence = 1;

    /// <inheritdoc/>
    public Watermark Synced { get; } = new();

    /// <inheritdoc/>
    public WakeSignal Readable { get; } = new();

    /// <inheritdoc/>
    public JournalState State => JournalState.Running;

    /// <inheritdoc/>
    public string? Trouble => null;

    /// <inheritdoc/>
    public long UnsyncedBytes => _ring.Used;

    /// <inheritdoc/>
    public bool TryAppend(in JournaledEvent item)
    {
        if (_ring.Used > _ring.Capacity / 2) _ring.Release(_ring.Head, _sequence - 1);
        var length = Frame.LengthOf(item);
        if (!_ring.TryReserve(length, out var frame)) return false;
        Frame.Write(frame, item, _sequence++, Secret);
        _ring.Publish();
        return true;
    }

    /// <inheritdoc/>
    public bool HasRoomFor(long bytes, int longest)
    {
        if (_ring.Used > _ring.Capacity / 2) _ring.Release(_ring.Head, _sequence - 1);
        return _ring.HasRoomFor(bytes, longest);
    }

    /// <inheritdoc/>
    public void Nudge()
    {
    }

    /// <inheritdoc/>
    public bool TryRead(JournalBatch batch) => false;

    /// <inheritdoc/>
    public void Trim()
    {
    }
}
