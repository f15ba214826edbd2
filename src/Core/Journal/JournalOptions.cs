namespace ZapierTriggers.Core.Journal;

/// <summary>Settings under <c>Journal</c>.</summary>
internal sealed record JournalOptions
{
    /// <summary>The largest ring: past it a ring could hold more frames (of at least 72 bytes) than sequences jump at a start.</summary>
    public const long MaxRingBytes = 64L << 20;

    /// <summary>The smallest ring: the largest frame may have to leave almost its own length empty at the end of a lap.</summary>
    public const long MinRingBytes = 1L << 20;

    /// <summary>The smallest segment: the largest frame must fit.</summary>
    public const long MinSegmentBytes = 512L << 10;

    /// <summary>
    /// The memory-mapped ring that holds what is not flushed yet, bytes: whole pages of 4,096 from <see cref="MinRingBytes"/> to
    /// <see cref="MaxRingBytes"/>, the default.
    /// 64 MiB = more than 100,000 events of 600 bytes.
    /// </summary>
    public long RingBytes { get; init; } = MaxRingBytes;

    /// <summary>Size of one preallocated segment file, bytes; at least <see cref="MinSegmentBytes"/>.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>
    /// The longest an accepted event waits for its fdatasync when nobody waits for it: what a power cut can take in <c>journaled</c> mode.
    /// </summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The most bytes that may wait for the store; past it events are refused (503) until half is free.</summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>How long stored segments are kept, for a database failover that loses commits.</summary>
    public TimeSpan RetainFor { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>In words what cannot work, one entry per setting; empty when all is well.</summary>
    public IEnumerable<string> Problems()
    {
        if (RingBytes is < MinRingBytes or > MaxRingBytes || RingBytes % 4096 != 0)
            yield return $"Journal:RingBytes is {RingBytes}; it must be a multiple of 4096 from {MinRingBytes} to {MaxRingBytes}.";
        if (SegmentBytes < MinSegmentBytes) yield return $"Journal:SegmentBytes is {SegmentBytes}; it must be at least {MinSegmentBytes}.";
        if (FlushInterval < TimeSpan.Zero || FlushInterval > TimeSpan.FromMinutes(1))
            yield return $"Journal:FlushInterval is {FlushInterval}; it must be from 0 to 1 minute.";
        if (MaxBytes < RingBytes) yield return $"Journal:MaxBytes is {MaxBytes}; it must be at least Journal:RingBytes ({RingBytes}).";
        if (RetainFor < TimeSpan.Zero) yield return $"Journal:RetainFor is {RetainFor}; it must not be negative.";
    }
}
