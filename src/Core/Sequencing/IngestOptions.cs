namespace ZapierTriggers.Core.Sequencing;

/// <summary>Settings under <c>Ingest</c>.</summary>
internal sealed record IngestOptions
{
    /// <summary>Which failure an answered 202 survives; see <see cref="Sequencing.AckWhen"/>.</summary>
    public AckWhen AckWhen { get; init; } = AckWhen.Journaled;

    /// <summary>The most payload bytes that may wait in memory for the sequencer; past it events are refused (503).</summary>
    public long QueueBytes { get; init; } = 64L << 20;
}

/// <summary>How far an event must have come before it is answered: the durability table of the contract.</summary>
internal enum AckWhen
{
    /// <summary>In the journal's memory-mapped ring: survives the process.</summary>
    Journaled = 0,

    /// <summary>Covered by fdatasync: survives power loss.</summary>
    Synced = 1,

    /// <summary>Committed in the store.</summary>
    Stored = 2,
}
