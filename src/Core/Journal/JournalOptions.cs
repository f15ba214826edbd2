namespace ZapierTriggers.Core.Journal;

/// <summary>Settings under <c>Journal</c>.</summary>
internal sealed record JournalOptions
{
    /// <summary>The memory-mapped ring that holds what is not flushed yet, bytes. 64 MiB = more than 100,000 events of 600 bytes.</summary>
    public long RingBytes { get; init; } = 64L << 20;

    /// <summary>Size of one preallocated segment file, bytes.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>The longest an accepted event waits for its fdatasync when nobody waits for it: what a power cut can take in <c>journaled</c> mode.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The most bytes that may wait for the store; past it events are refused (503) until half is free.</summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>How long stored segments are kept, for a database failover that loses commits.</summary>
    public TimeSpan RetainFor { get; init; } = TimeSpan.FromMinutes(10);
}
