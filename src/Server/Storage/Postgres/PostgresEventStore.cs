using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Events in Postgres.</summary>
internal sealed partial class PostgresEventStore(
    PostgresDatabase database,
    TimeProvider time,
    int partitionsAhead,
    ILogger<PostgresEventStore> logger)
    : IEventStore
{
    private const string Duplicate = """
        SELECT e.id, e.payload_hash
        FROM events e
        WHERE e.organization_no = $1 AND e.dedup_id = $2 AND e.id >= $3
        ORDER BY e.id
        LIMIT 1
        """;

    private const string Probe = """
        UPDATE probes SET at = now() WHERE organization_no = 0
        """;

    private readonly PostgresPartitions _partitions = new(database, time, partitionsAhead);
    private readonly PostgresShards _shards = new(database, time);
    private readonly PostgresInbox _inbox = new(database);
    private readonly PostgresEventDetail _detail = new(database);
    private readonly PostgresAcks _acks = new(database);

    /// <inheritdoc/>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await new PostgresMigrations(database).RunAsync(cancellationToken);
        await _partitions.MakeAheadAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ShardClaim> ClaimShardAsync(int shard, Guid journalId, CancellationToken cancellationToken) =>
        _shards.ClaimAsync(shard, journalId, cancellationToken);

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

        if (_partitions.IsDue) await MakePartitionsAheadAsync(cancellationToken);
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
            parameters => parameters.With(organizationNo).With(dedupId).With(notBefore),
            row => new DuplicateOf(row.GetEventId(0), unchecked((ulong)row.GetInt64(1))),
            cancellationToken);
        return found.Count == 0 ? null : found[0];
    }

    /// <inheritdoc/>
    public Task<InboxPage> ReadInboxAsync(InboxQuery query, CancellationToken cancellationToken) =>
        _inbox.ReadAsync(query, cancellationToken);

    /// <inheritdoc/>
    public Task<EventDetail?> FindEventAsync(int organizationNo, EventId id, CancellationToken cancellationToken) =>
        _detail.FindAsync(organizationNo, id, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DateTimeOffset?>> AcknowledgeAsync(
        int organizationNo,
        IReadOnlyList<EventId> ids,
        DateTimeOffset at,
        CancellationToken cancellationToken) =>
        _acks.AcknowledgeAsync(organizationNo, ids, at, cancellationToken);

    /// <inheritdoc/>
    public Task ProbeAsync(CancellationToken cancellationToken) => database.ExecuteAsync(Probe, _ => { }, cancellationToken);

    /// <summary>
    /// The batch is committed already, so trouble here must not look like its failure: the next batch tries again, and a day that is really
    /// missing is made on demand.
    /// </summary>
    private async Task MakePartitionsAheadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _partitions.MakeAheadAsync(cancellationToken);
        }
        catch (StoreException exception)
        {
            Log.PartitionsNotMade(logger, exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.PostgresEventStorePartitionsNotMade, LogLevel.Warning, "Partitions could not be made ahead: {Reason}")]
        public static partial void PartitionsNotMade(ILogger logger, string reason);
    }
}
