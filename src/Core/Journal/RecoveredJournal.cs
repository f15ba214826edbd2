namespace ZapierTriggers.Core.Journal;

/// <summary>What a start found.</summary>
internal sealed record RecoveredJournal
{
    /// <summary>The segments, all sealed and flushed.</summary>
    public required SegmentLog Log { get; init; }

    /// <summary>Where reading begins; null when there is nothing.</summary>
    public Segment? First { get; init; }

    /// <summary>The last sequence found, which the next segment names as its predecessor's; 0 = none.</summary>
    public long LastSequence { get; init; }

    /// <summary>
    /// The highest sequence that may ever have been used, found or not: new ones begin <see cref="JournalRecovery.SequenceJump"/> behind
    /// it.
    /// </summary>
    public long HighestSequence { get; init; }

    /// <summary>The highest id found; zero = none.</summary>
    public EventId LastId { get; init; }

    /// <summary>The first event that the store does not have yet; zero = none.</summary>
    public EventId FirstUnstored { get; init; }

    /// <summary>Events that the store does not have yet.</summary>
    public long Events { get; init; }

    /// <summary>Bytes of their frames.</summary>
    public long Bytes { get; init; }

    /// <summary>Losses at the end of the journal; those before it are counted by the reader when it passes them.</summary>
    public long Gaps { get; init; }

    /// <summary>Where that loss begins; 0 = there is none.</summary>
    public long GapFrom { get; init; }
}
