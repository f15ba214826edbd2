using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// What the store writer calls: claims, and rows that commit together with the checkpoint, which moves first (a repeat must not meet its
/// own rows).
/// </summary>
internal sealed class SqliteShards(SqliteDatabase database, TimeProvider time)
{
    private const string Introduce = """
        INSERT INTO shards (shard, journal_id, epoch, updated_at)
        SELECT $1, $2, coalesce(max(epoch), 0), $3
        FROM shards
        WHERE shard = $1
        ON CONFLICT (shard, journal_id) DO NOTHING
        """;

    /// <summary>Every journal's row, so that whoever held the shard finds another epoch in its own.</summary>
    private const string Raise = """
        UPDATE shards SET epoch = (SELECT max(o.epoch) + 1 FROM shards o WHERE o.shard = $1), claims = claims + 1 WHERE shard = $1
        """;

    private const string Claimed = """
        SELECT s.epoch, s.stored_through, s.stored_sequence, (SELECT max(o.stored_through) FROM shards o WHERE o.shard = $1)
        FROM shards s
        WHERE s.shard = $1 AND s.journal_id = $2
        """;

    private const string Advance = """
        UPDATE shards
        SET stored_through = $5, stored_sequence = $6, updated_at = $7
        WHERE shard = $1 AND journal_id = $2 AND epoch = $3 AND stored_through IS $4
        """;

    private const string Read = """
        SELECT epoch, stored_through, stored_sequence FROM shards WHERE shard = $1 AND journal_id = $2
        """;

    private const string Quarantine = """
        INSERT INTO quarantine (organization_no, id, shard, event, reason, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
        """;

    /// <summary>See <see cref="IEventStore.ReadCheckpointAsync"/>.</summary>
    public Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => ReadCheckpoint(connection, shard, journalId), cancellationToken);

    /// <summary>See <see cref="IEventStore.ClaimShardAsync"/>.</summary>
    public Task<ShardClaim?> ClaimAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken) =>
        database.WriteAsync<ShardClaim?>(
            connection =>
            {
                if (ReadCheckpoint(connection, shard, journalId) != expected) return null;
                connection.Execute(Introduce, shard, journalId, time.GetUtcNow());
                connection.Execute(Raise, shard);
                return connection.Query(Claimed, row => ReadClaim(row, shard, journalId), shard, journalId)[0];
            },
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
                if (moved) SqliteAppend.Run(connection, events.Span);
                if (moved) SqliteRemoval.CountAccepted(connection, claim.JournalId, events.Span);
                if (moved) SqliteInboxMarks.Lower(connection, LateEvents.FirstOf(claim, events.Span));
                Failpoint.Pass(Failpoint.StoreCommitting);
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
                if (!moved) return false;
                var added = connection.Execute(
                    Quarantine,
                    refused.OrganizationNo,
                    refused.Id,
                    claim.Shard,
                    QuarantinedRow.Encode(refused),
                    reason,
                    time.GetUtcNow());
                if (added > 0) SqliteRemoval.CountAccepted(connection, claim.JournalId, [refused]);
                return true;
            },
            cancellationToken);

    /// <summary>False when the checkpoint is there already; throws when the shard is another's.</summary>
    private bool TryAdvance(SqliteConnection connection, ShardClaim claim, Checkpoint previous, Checkpoint next)
    {
        var (from, to) = (Nullable(previous.Id), Nullable(next.Id));
        var moved = connection.Execute(Advance, claim.Shard, claim.JournalId, claim.Epoch, from, to, next.Sequence, time.GetUtcNow());
        if (moved == 1) return true;

        var rows = connection.Query(Read, row => (Epoch: row.GetInt64(0), Through: IdOrZero(row, 1)), claim.Shard, claim.JournalId);
        CheckpointMismatch.Explain(claim, next, rows.Count == 0 ? null : rows[0].Epoch, rows.Count == 0 ? default : rows[0].Through);
        return false;
    }

    private static Checkpoint ReadCheckpoint(SqliteConnection connection, int shard, Guid journalId)
    {
        var rows = connection.Query(Read, row => new Checkpoint(IdOrZero(row, 1), row.GetInt64(2)), shard, journalId);
        return rows.Count == 0 ? default : rows[0];
    }

    private static ShardClaim ReadClaim(SqliteDataReader row, int shard, Guid journalId) =>
        new(shard, row.GetInt64(0), journalId, new Checkpoint(IdOrZero(row, 1), row.GetInt64(2)), IdOrZero(row, 3));

    private static EventId IdOrZero(SqliteDataReader row, int column) => row.IsDBNull(column) ? default : row.GetEventId(column);

    private static object? Nullable(EventId id) => id.IsZero ? null : id;
}
