namespace ZapierTriggers.Core.Storing;

/// <summary>What is to be erased; the numbers are stored.</summary>
internal enum ErasureKind
{
    /// <summary>Some events of an organization.</summary>
    Events = 1,

    /// <summary>The organization with all that it has.</summary>
    Organization = 2,
}

/// <summary>An erasure that was asked for, and how far it is.</summary>
internal sealed record Erasure
{
    /// <summary>The most ids that a receipt names.</summary>
    public const int MaxIds = 1000;

    /// <summary>The most unfinished erasures of one organization.</summary>
    public const int MaxUnfinished = 10;

    /// <summary>The organization.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>Its own id.</summary>
    public required Guid Id { get; init; }

    /// <summary>What goes.</summary>
    public required ErasureKind Kind { get; init; }

    /// <summary>
    /// Which events, as <see cref="ErasureSelection"/> writes it; empty once the work is done, because it may be personal.
    /// </summary>
    public required string Selection { get; init; }

    /// <summary>Whether events are only counted.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Later events are not meant: the last one accepted when it was asked for.</summary>
    public required EventId Through { get; init; }

    /// <summary>The last event looked at.</summary>
    public EventId Cursor { get; init; }

    /// <summary>Events that the selection matched so far.</summary>
    public long Matched { get; init; }

    /// <summary>Events erased so far.</summary>
    public long Erased { get; init; }

    /// <summary>The first <see cref="MaxIds"/> of them.</summary>
    public IReadOnlyList<EventId> Ids { get; init; } = [];

    /// <summary>Whether the journal's segments do not hold them any more either.</summary>
    public bool IsJournalErased { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>When it was done; null = it is not.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Itself when it has erased these events too.</summary>
    public Erasure Add(IReadOnlyCollection<EventId> erased) =>
        this with { Erased = Erased + erased.Count, Ids = [.. Ids.Concat(erased.Order()).Take(MaxIds)] };
}

/// <summary>An event as an erasure looks at it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Payload">Its payload as stored.</param>
internal readonly record struct ScannedEvent(EventId Id, byte[] Payload);
