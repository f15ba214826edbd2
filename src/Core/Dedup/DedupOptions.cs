namespace ZapierTriggers.Core.Dedup;

/// <summary>Settings under <c>Dedup</c>.</summary>
internal sealed record DedupOptions
{
    /// <summary>How long a dedup id is remembered; fixed by the contract.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(24);

    /// <summary>The most ids held in memory (about 50 bytes each); older ones are looked up in the store.</summary>
    public int MaxEntries { get; init; } = 5_000_000;

    /// <summary>
    /// The most bytes of filters for ids that had to leave memory (2 bytes each): they know nearly every new id for new without asking the
    /// store. 0 = none.
    /// </summary>
    public long FilterBytes { get; init; } = 64L << 20;
}
