using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// Where events live after the journal. Written in order by one store writer per shard, read by the inbox. Events are written once and
/// never
/// updated; acknowledgements, outcomes and retries are narrow rows that exist only when something happened. Failures are
/// <see cref="StoreException"/>.
/// </summary>
internal interface IEventStore
{
    /// <summary>Brings the schema up to date under a lock and makes partitions ahead. Called once, before anything else.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Up to where this journal is in the store, as the store says; default when it knows nothing of the journal.</summary>
    Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a shard over from whoever had it: raises its epoch above all others', so that any other holder's next commit is refused. Each
    /// journal has a checkpoint of its own, so that a data directory which comes back after another one had the shard still stores what it
    /// holds. Null, and nothing has happened, when the journal's checkpoint is not at <paramref name="expected"/> (any more): whoever moved
    /// it is to be looked at first, and must not be fenced by one that cannot go on from there.
    /// </summary>
    Task<ShardClaim?> ClaimShardAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken);

    /// <summary>
    /// Commits the events and moves the shard's checkpoint from <paramref name="previous"/> to <paramref name="next"/> in one transaction:
    /// all or nothing. When the checkpoint is
    /// already at <paramref name="next"/> (a lost COMMIT reply) nothing is written and the call succeeds. Throws
    /// <see cref="StoreFailure.Fenced"/> when the epoch has
    /// moved on, <see cref="StoreFailure.RowRefused"/> when a row cannot be stored. <paramref name="events"/> may be empty (a checkpoint
    /// past a row set aside).
    /// </summary>
    Task AppendAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken);

    /// <summary>Keeps a row that the store refused, with the reason, and moves the checkpoint past it, in one transaction.</summary>
    Task QuarantineAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, JournaledEvent refused, string reason, CancellationToken cancellationToken);

    /// <summary>
    /// The newest event with this dedup id whose id is at least <paramref name="notBefore"/>, or null. There is more than one only while a
    /// clock that was set back lets an expired one count again; the dedup window names the newest, too.
    /// </summary>
    Task<DuplicateOf?> FindDuplicateAsync(int organizationNo, string dedupId, EventId notBefore, CancellationToken cancellationToken);

    /// <summary>The same for many dedup ids, each given once; those that are there. A store that can ask for all at once does.</summary>
    async Task<IReadOnlyDictionary<string, DuplicateOf>> FindDuplicatesAsync(
        int organizationNo, IReadOnlyCollection<string> dedupIds, EventId notBefore, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, DuplicateOf>(StringComparer.Ordinal);
        foreach (var dedupId in dedupIds)
        {
            if (await FindDuplicateAsync(organizationNo, dedupId, notBefore, cancellationToken) is { } first) found.Add(dedupId, first);
        }

        return found;
    }

    /// <summary>One page of an organization's inbox.</summary>
    Task<InboxPage> ReadInboxAsync(InboxQuery query, CancellationToken cancellationToken);

    /// <summary>One event of the organization with all of its deliveries, or null.</summary>
    Task<EventDetail?> FindEventAsync(int organizationNo, EventId id, CancellationToken cancellationToken);

    /// <summary>
    /// Acknowledges those of the ids that exist in the organization, and removes their waiting retries, in one transaction.
    /// </summary>
    Task<Acknowledgements> AcknowledgeAsync(
        int organizationNo, IReadOnlyList<EventId> ids, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>
    /// Moves the organization's mark, below which no event is pending, over at most <paramref name="limit"/> events, up to the first that is
    /// pending or else the last that is stored. Whether there is more to move over at once; a mark that was lowered meanwhile (see
    /// <see cref="LateEvents"/>) stays where it is, for a later call.
    /// </summary>
    Task<bool> AdvanceInboxMarkAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        Task.FromResult(false);

    /// <summary>
    /// Those of a journal's unstored events that were erased meanwhile, with their organization or by an erasure that was asked for after
    /// them (docs/decisions/0014): they are not to be stored.
    /// </summary>
    Task<IReadOnlyList<LateErased>> FindErasedAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<LateErased>>([]);

    /// <summary>
    /// Counts them as accepted and erased, and keeps what is kept of erased events; once, however often it is called. Of an organization
    /// that is gone nothing is written.
    /// </summary>
    Task NoteErasedAsync(Guid journalId, IReadOnlyList<LateErased> erased, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does ahead of time what storing needs soon (partitions of the days to come); cheap when there is nothing to do.</summary>
    Task MaintainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Proves that the store takes writes (a read-only or full store fails): a health check must write. Throws
    /// <see cref="StoreException"/>.
    /// </summary>
    Task ProbeAsync(CancellationToken cancellationToken);
}

/// <summary>The right to write a shard, held until a higher epoch is claimed.</summary>
/// <param name="Shard">The shard's number, from 0.</param>
/// <param name="Epoch">Raised by each claim; a commit with a lower one is refused.</param>
/// <param name="JournalId">The journal whose checkpoint this is.</param>
/// <param name="StoredThrough">Up to where this journal is in the store.</param>
/// <param name="HighestStored">The highest id that any journal of the shard has stored: new ids are issued behind it.</param>
internal readonly record struct ShardClaim(int Shard, long Epoch, Guid JournalId, Checkpoint StoredThrough, EventId HighestStored);

/// <summary>A place in the shard's order: everything up to and including it is stored. Default = nothing yet.</summary>
/// <param name="Id">Id of the last event.</param>
/// <param name="Sequence">Journal sequence of the last event.</param>
internal readonly record struct Checkpoint(EventId Id, long Sequence);

/// <summary>What a dedup look-up found.</summary>
/// <param name="Id">Id of the first event.</param>
/// <param name="PayloadHash">Its payload's hash.</param>
internal readonly record struct DuplicateOf(EventId Id, ulong PayloadHash);
