using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Events in SQLite.</summary>
internal sealed class SqliteEventStore(SqliteDatabase database, TimeProvider time) : IEventStore
{
    private const string Duplicate = """
        SELECT f.id, f.payload_hash
        FROM (SELECT * FROM (SELECT e.id, e.payload_hash
                             FROM events e
                             WHERE e.organization_no = ?1 AND e.dedup_id = ?2 AND e.id >= ?3
                             ORDER BY e.id DESC
                             LIMIT 1)
              UNION ALL
              SELECT x.id, x.payload_hash FROM erased_events x WHERE x.organization_no = ?1 AND x.dedup_hash = ?4 AND x.id >= ?3) f
        ORDER BY f.id DESC
        LIMIT 1
        """;

    private const string Probe = """
        UPDATE probes SET at = $1 WHERE organization_no = 0
        """;

    private const string Acknowledge = """
        INSERT INTO acks (organization_no, event_id, at)
        SELECT e.organization_no, e.id, $3 FROM events e WHERE e.organization_no = $1 AND e.id = $2
        ON CONFLICT DO NOTHING
        """;

    private const string ReadAck = """
        SELECT a.at FROM acks a WHERE a.organization_no = $1 AND a.event_id = $2
        """;

    /// <summary>What was asked for by hand is sent all the same.</summary>
    private const string DropRetries = """
        DELETE FROM retries WHERE organization_no = $1 AND event_id = $2 AND owed = 0
        """;

    private readonly SqliteShards _shards = new(database, time);
    private readonly SqliteInbox _inbox = new(database);
    private readonly SqliteEventDetail _detail = new(database);
    private readonly SqliteInboxMarks _marks = new(database);
    private readonly SqliteLateErasures _lateErasures = new(database, time);

    /// <inheritdoc/>
    public Task PrepareAsync(CancellationToken cancellationToken) => SqliteMigrations.RunAsync(database, time, cancellationToken);

    /// <inheritdoc/>
    public Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken) =>
        _shards.ReadCheckpointAsync(shard, journalId, cancellationToken);

    /// <inheritdoc/>
    public Task<ShardClaim?> ClaimShardAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken) =>
        _shards.ClaimAsync(shard, journalId, expected, cancellationToken);

    /// <inheritdoc/>
    public Task AppendAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken) =>
        _shards.AppendAsync(claim, previous, next, events, cancellationToken);

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
    public Task<DuplicateOf?> FindDuplicateAsync(
        int organizationNo,
        string dedupId,
        EventId notBefore,
        CancellationToken cancellationToken) =>
        Task.FromResult(database.LookUp(Duplicate, (organizationNo, dedupId, notBefore), FindDuplicate));

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, DuplicateOf>> FindDuplicatesAsync(
        int organizationNo, IReadOnlyCollection<string> dedupIds, EventId notBefore, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyDictionary<string, DuplicateOf>>(
            connection =>
            {
                using var find = new SqlitePrepared(connection, Duplicate);
                var found = new Dictionary<string, DuplicateOf>(StringComparer.Ordinal);
                foreach (var dedupId in dedupIds)
                {
                    if (FindDuplicate(find, (organizationNo, dedupId, notBefore)) is { } first) found.Add(dedupId, first);
                    find.Reset();
                }

                return found;
            },
            cancellationToken);

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
        database.WriteAsync(
            connection =>
            {
                using var acknowledge = new SqliteStatement(connection, Acknowledge);
                using var read = new SqliteStatement(connection, ReadAck);
                using var drop = new SqliteStatement(connection, DropRetries);
                var (times, added) = (new DateTimeOffset?[ids.Count], 0);
                for (var index = 0; index < times.Length; index++)
                {
                    added += acknowledge.Execute(organizationNo, ids[index], at);
                    var known = read.Query(row => row.GetTime(0), organizationNo, ids[index]);
                    if (known.Count == 0) continue;
                    times[index] = known[0];
                    drop.Execute(organizationNo, ids[index]);
                }

                return new Acknowledgements(times, added);
            },
            cancellationToken);

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
    public Task ProbeAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Probe, time.GetUtcNow()), cancellationToken);

    private static DuplicateOf? FindDuplicate(SqlitePrepared find, (int OrganizationNo, string DedupId, EventId NotBefore) key)
    {
        find.Bind(1, (long)key.OrganizationNo);
        find.BindText(2, Encoding.UTF8.GetBytes(key.DedupId));
        find.Bind(3, key.NotBefore);
        find.BindBytes(4, ErasedDedup.Hash(key.OrganizationNo, key.DedupId));
        return find.Read() ? new DuplicateOf(find.Id(0), unchecked((ulong)find.Number(1))) : null;
    }
}
