using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>What the store writer calls: claims, and rows that commit together with the checkpoint, which moves first (a repeat must not meet its own rows).</summary>
internal sealed class SqliteShards(SqliteDatabase database, TimeProvider time)
{
    private const string Claim = """
        INSERT INTO shards (shard, journal_id, epoch, updated_at)
        VALUES ($1, $2, 1 + coalesce((SELECT max(o.epoch) FROM shards o WHERE o.shard = $1), 0), $3)
        ON CONFLICT (shard, journal_id) DO UPDATE
        SET epoch = excluded.epoch, updated_at = excluded.updated_at
        RETURNING epoch, stored_through, stored_sequence, (SELECT max(o.stored_through) FROM shards o WHERE o.shard = $1)
        """;

    private const string Advance = """
        UPDATE shards
        SET stored_through = $4, stored_sequence = $5, updated_at = $6
        WHERE shard = $1 AND journal_id = $7 AND epoch = $2 AND stored_through IS $3
          AND NOT EXISTS (SELECT 1 FROM shards o WHERE o.shard = $1 AND o.epoch > $2)
        """;

    private const string Read = """
        SELECT (SELECT max(o.epoch) FROM shards o WHERE o.shard = $1), s.stored_through FROM shards s WHERE s.shard = $1 AND s.journal_id = $2
        """;

    private const string Quarantine = """
        INSERT INTO quarantine (organization_no, id, shard, event, reason, at) VALUES ($1, $2, $3, $4, $5, $6)
        """;

    // Lives as long as the writing connection, which closes what is left open on it.
    private readonly SqliteAppend _append = new();

    /// <summary>See <see cref="IEventStore.ClaimShardAsync"/>.</summary>
    public Task<ShardClaim> ClaimAsync(int shard, Guid journalId, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.Query(
                Claim,
                row => new ShardClaim(shard, row.GetInt64(0), journalId, new Checkpoint(IdOrZero(row, 1), row.GetInt64(2)), IdOrZero(row, 3)),
                shard,
                journalId,
                time.GetUtcNow())[0],
            cancellationToken);

    /// <summary>See <see cref="IEventStore.AppendAsync"/>.</summary>
    public Task AppendAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection =>
            {
                var moved = TryAdvance(connection, claim, previous, next);
                if (moved) _append.Run(connection, events.Span);
                return moved;
            },
            cancellationToken);

    /// <summary>See <see cref="IEventStore.QuarantineAsync"/>.</summary>
    public Task QuarantineAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        JournaledEvent refused,
        string reason,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection =>
            {
                var moved = TryAdvance(connection, claim, previous, next);
                if (moved)
                    connection.Execute(Quarantine, refused.OrganizationNo, refused.Id, claim.Shard, QuarantinedRow.Encode(refused), reason, time.GetUtcNow());
                return moved;
            },
            cancellationToken);

    /// <summary>False when the checkpoint is there already; throws when the shard is another's.</summary>
    private bool TryAdvance(SqliteConnection connection, ShardClaim claim, Checkpoint previous, Checkpoint next)
    {
        if (connection.Execute(Advance, claim.Shard, claim.Epoch, Nullable(previous.Id), Nullable(next.Id), next.Sequence, time.GetUtcNow(), claim.JournalId) == 1) return true;
        var rows = connection.Query(Read, row => (Epoch: row.GetInt64(0), Through: IdOrZero(row, 1)), claim.Shard, claim.JournalId);
        CheckpointMismatch.Explain(claim, next, rows.Count == 0 ? null : rows[0].Epoch, rows.Count == 0 ? default : rows[0].Through);
        return false;
    }

    private static EventId IdOrZero(SqliteDataReader row, int column) => row.IsDBNull(column) ? default : row.GetEventId(column);

    private static object? Nullable(EventId id) => id.IsZero ? null : id;
}
