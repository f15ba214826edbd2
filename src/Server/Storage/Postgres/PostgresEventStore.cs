using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Events in Postgres.</summary>
internal sealed class PostgresEventStore(PostgresDatabase database, TimeProvider time, int partitionsAhead) : IEventStore
{
    private const string Duplicate = """
        (SELECT e.id, e.payload_hash
         FROM events e
         WHERE e.organization_no = $1 AND e.dedup_id = $2 AND e.id >= $3
         ORDER BY e.id DESC
         LIMIT 1)
        UNION ALL
        SELECT x.id, x.payload_hash FROM erased_events x WHERE x.organization_no = $1 AND x.dedup_hash = $4 AND x.id >= $3
        ORDER BY id DESC
        LIMIT 1
        """;

    private const string Duplicates = """
        SELECT u.dedup_id, f.id, f.payload_hash
        FROM unnest($2::text[], $4::bytea[]) AS u (dedup_id, hash)
        CROSS JOIN LATERAL (
            (SELECT e.id, e.payload_hash
             FROM events e
             WHERE e.organization_no = $1 AND e.dedup_id = u.dedup_id AND e.id >= $3
             ORDER BY e.id DESC
             LIMIT 1)
            UNION ALL
            SELECT x.id, x.payload_hash FROM erased_events x WHERE x.organization_no = $1 AND x.dedup_hash = u.hash AND x.id >= $3
            ORDER BY id DESC
            LIMIT 1
        ) f
        """;

    private const string Probe = """
        UPDATE probes SET at = now() WHERE organization_no = 0
        """;

    private readonly PostgresPartitions _partitions = new(database, time, partitionsAhead);
    private readonly PostgresShards _shards = new(database, time);
    private readonly PostgresInbox _inbox = new(database);
    private readonly PostgresEventDetail _detail = new(database);
    private readonly PostgresAcks _acks = new(database);
    private readonly PostgresInboxMarks _marks = new(database);
    private readonly PostgresLateErasures _lateErasures = new(database, time);

    /// <inheritdoc/>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await new PostgresMigrations(database).RunAsync(cancellationToken);
        await _partitions.MakeAheadAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken) =>
        _shards.ReadCheckpointAsync(shard, journalId, cancellationToken);

    /// <inheritdoc/>
    public Task<ShardClaim?> ClaimShardAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken) =>
        _shards.ClaimAsync(shard, journalId, expected, cancellationToken);

    /// <inheritdoc/>
    public async Task AppendAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken)
    {
        try
        {
            await _shards.AppendAsync(claim, previous, next, events, cancellationToken);
        }
        catch (StoreException exception) when (
            exception.InnerException is PostgresException inner && PostgresErrors.IsMissingPartition(inner))
        {
            await _partitions.MakeForAsync(events, cancellationToken);
            await _shards.AppendAsync(claim, previous, next, events, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task QuarantineAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        JournaledEvent refused,
        string reason,
        CancellationToken cancellationToken) =>
        _shards.QuarantineAsync(claim, previous, next, refused, reason, cancellationToken);

    /// <inheritdoc/>
    public async Task<DuplicateOf?> FindDuplicateAsync(
        int organizationNo,
        string dedupId,
        EventId notBefore,
        CancellationToken cancellationToken)
    {
        // Postgres text cannot hold U+0000, so nothing has such a dedup id.
        if (dedupId.Contains('\0', StringComparison.Ordinal)) return null;
        var found = await database.QueryAsync(
            Duplicate,
            parameters => parameters.With(organizationNo).With(dedupId).With(notBefore).With(ErasedDedup.Hash(organizationNo, dedupId)),
            row => new DuplicateOf(row.GetEventId(0), unchecked((ulong)row.GetInt64(1))),
            cancellationToken);
        return found.Count == 0 ? null : found[0];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, DuplicateOf>> FindDuplicatesAsync(
        int organizationNo, IReadOnlyCollection<string> dedupIds, EventId notBefore, CancellationToken cancellationToken)
    {
        var ids = dedupIds.Where(id => !id.Contains('\0', StringComparison.Ordinal)).ToArray();
        var found = await database.QueryAsync(
            Duplicates,
            parameters => parameters.With(organizationNo).With(ids).With(notBefore)
                .With(Array.ConvertAll(ids, id => ErasedDedup.Hash(organizationNo, id))),
            row => (DedupId: row.GetString(0), First: new DuplicateOf(row.GetEventId(1), unchecked((ulong)row.GetInt64(2)))),
            cancellationToken);
        return found.ToDictionary(row => row.DedupId, row => row.First, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public Task<InboxPage> ReadInboxAsync(InboxQuery query, CancellationToken cancellationToken) =>
        _inbox.ReadAsync(query, cancellationToken);

    /// <inheritdoc/>
    public Task<EventDetail?> FindEventAsync(int organizationNo, EventId id, CancellationToken cancellationToken) =>
        _detail.FindAsync(organizationNo, id, cancellationToken);

    /// <inheritdoc/>
    public Task<Acknowledgements> AcknowledgeAsync(
        int organizationNo,
        IReadOnlyList<EventId> ids,
        DateTimeOffset at,
        CancellationToken cancellationToken) =>
        _acks.AcknowledgeAsync(organizationNo, ids, at, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<LateErased>> FindErasedAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken) =>
        _lateErasures.FindAsync(events, cancellationToken);

    /// <inheritdoc/>
    public Task NoteErasedAsync(Guid journalId, IReadOnlyList<LateErased> erased, CancellationToken cancellationToken) =>
        _lateErasures.NoteAsync(journalId, erased, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> AdvanceInboxMarkAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        _marks.AdvanceAsync(organizationNo, limit, cancellationToken);

    /// <inheritdoc/>
    public Task ProbeAsync(CancellationToken cancellationToken) => database.ExecuteAsync(Probe, _ => { }, cancellationToken);

    /// <inheritdoc/>
    public Task MaintainAsync(CancellationToken cancellationToken) =>
        _partitions.IsDue ? _partitions.MakeAheadAsync(cancellationToken) : Task.CompletedTask;
}
