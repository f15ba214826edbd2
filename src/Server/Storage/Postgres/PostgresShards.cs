using System.Buffers;
using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// What the store writer calls: claims, and rows that commit together with the checkpoint. The checkpoint moves <em>first</em> in the transaction: a repeat after
/// a lost COMMIT reply is told by it before the primary key could refuse the rows, and a fenced writer sends nothing.
/// </summary>
internal sealed class PostgresShards(PostgresDatabase database, TimeProvider time)
{
    /// <summary>Bytes encoded before they are sent: a few rows of the largest payload, and far above the driver's own buffer, which is then passed by.</summary>
    private const int ChunkBytes = 1 << 20;

    /// <summary>Locks all of the shard's rows first: a commit in flight of another holder ends before, or sees the new epoch.</summary>
    private const string Claim = """
        WITH held AS (
            SELECT epoch, stored_through FROM shards WHERE shard = $1 FOR UPDATE
        ), claimed AS (
            INSERT INTO shards (shard, journal_id, epoch)
            VALUES ($1, $2, 1 + coalesce((SELECT max(held.epoch) FROM held), 0))
            ON CONFLICT (shard, journal_id) DO UPDATE
            SET epoch = excluded.epoch, updated_at = now()
            RETURNING epoch, stored_through, stored_sequence
        )
        SELECT epoch, stored_through, stored_sequence,
               (SELECT held.stored_through FROM held WHERE held.stored_through IS NOT NULL ORDER BY held.stored_through DESC LIMIT 1)
        FROM claimed
        """;

    private const string Advance = """
        UPDATE shards s
        SET stored_through = $4, stored_sequence = $5, updated_at = now()
        WHERE s.shard = $1 AND s.journal_id = $6 AND s.epoch = $2 AND s.stored_through IS NOT DISTINCT FROM $3
          AND NOT EXISTS (SELECT 1 FROM shards o WHERE o.shard = $1 AND o.epoch > $2)
        """;

    private const string Read = """
        SELECT (SELECT max(o.epoch) FROM shards o WHERE o.shard = $1), s.stored_through FROM shards s WHERE s.shard = $1 AND s.journal_id = $2
        """;

    private const string Quarantine = """
        INSERT INTO quarantine (organization_no, id, shard, event, reason, at) VALUES ($1, $2, $3, $4, $5, $6)
        """;

    /// <summary>See <see cref="IEventStore.ClaimShardAsync"/>.</summary>
    public async Task<ShardClaim> ClaimAsync(int shard, Guid journalId, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Claim,
            parameters => parameters.With(shard).With(journalId),
            row => new ShardClaim(
                shard, row.GetInt64(0), journalId, new Checkpoint(IdOrZero(row, 1), row.GetInt64(2)), IdOrZero(row, 3)),
            cancellationToken);
        return rows[0];
    }

    /// <summary>See <see cref="IEventStore.AppendAsync"/>; a missing partition leaves as the driver's exception's mapping with that SQLSTATE.</summary>
    public Task AppendAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken) =>
        CommitAsync(claim, previous, next, connection => events.IsEmpty ? Task.CompletedTask : CopyAsync(connection, events, cancellationToken), cancellationToken);

    /// <summary>See <see cref="IEventStore.QuarantineAsync"/>.</summary>
    public Task QuarantineAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        JournaledEvent refused,
        string reason,
        CancellationToken cancellationToken) =>
        CommitAsync(
            claim,
            previous,
            next,
            async connection =>
            {
                await using var command = new NpgsqlCommand(Quarantine, connection);
                command.Parameters.With(refused.OrganizationNo).With(refused.Id).With(claim.Shard)
                    .With(QuarantinedRow.Encode(refused)).With(reason.Replace('\0', '\uFFFD')).With(time.GetUtcNow());
                await command.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    private Task<bool> CommitAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        Func<NpgsqlConnection, Task> write,
        CancellationToken cancellationToken) =>
        database.RunAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await using var advance = new NpgsqlCommand(Advance, connection);
                advance.Parameters.With(claim.Shard).With(claim.Epoch).With(Nullable(previous.Id)).With(Nullable(next.Id)).With(next.Sequence).With(claim.JournalId);
                if (await advance.ExecuteNonQueryAsync(cancellationToken) == 0)
                {
                    await transaction.RollbackAsync(cancellationToken);
                    await ExplainAsync(connection, claim, next, cancellationToken);
                    return false;
                }

                await write(connection);
                await transaction.CommitAsync(cancellationToken);
                return true;
            },
            cancellationToken);

    /// <summary>Why no row matched: returns when the checkpoint is at <paramref name="next"/> already, else throws.</summary>
    private static async Task ExplainAsync(NpgsqlConnection connection, ShardClaim claim, Checkpoint next, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Read, connection);
        command.Parameters.With(claim.Shard).With(claim.JournalId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = await reader.ReadAllAsync(row => (Epoch: row.GetInt64(0), Through: IdOrZero(row, 1)), cancellationToken);
        CheckpointMismatch.Explain(claim, next, rows.Count == 0 ? null : rows[0].Epoch, rows.Count == 0 ? default : rows[0].Through);
    }

    private static async Task CopyAsync(NpgsqlConnection connection, ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        await using var stream = await connection.BeginRawBinaryCopyAsync(EventCopyEncoder.Sql, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            EventCopyEncoder.Header.CopyTo(buffer);
            var filled = EventCopyEncoder.Header.Length;
            for (var index = 0; index < events.Length;)
            {
                index += Fill(buffer, ref filled, events.Span[index..]);
                await stream.WriteAsync(buffer.AsMemory(0, filled), cancellationToken);
                filled = 0;
                if (index < events.Length) Grow(ref buffer, EventCopyEncoder.Measure(events.Span[index]));
            }

            EventCopyEncoder.Trailer.CopyTo(buffer);
            await stream.WriteAsync(buffer.AsMemory(0, EventCopyEncoder.Trailer.Length), cancellationToken);
        }
        catch
        {
            // Without this, disposing would tell the server that the rows are complete.
            await stream.CancelAsync();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Encodes as many rows as fit; returns how many.</summary>
    private static int Fill(byte[] buffer, ref int filled, ReadOnlySpan<JournaledEvent> events)
    {
        var count = 0;
        while (count < events.Length && EventCopyEncoder.Measure(events[count]) <= buffer.Length - filled)
            filled += EventCopyEncoder.Write(buffer.AsSpan(filled), events[count++]);
        return count;
    }

    private static void Grow(ref byte[] buffer, int needed)
    {
        if (needed <= buffer.Length) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = ArrayPool<byte>.Shared.Rent(needed);
    }

    private static EventId IdOrZero(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? default : row.GetEventId(column);

    private static Guid? Nullable(EventId id) => id.IsZero ? null : id.ToGuid();
}
