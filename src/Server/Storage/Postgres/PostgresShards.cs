using System.Buffers;
using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// What the store writer calls: claims, and rows that commit together with the checkpoint. The checkpoint moves <em>first</em> in the
/// transaction: a repeat after a lost COMMIT reply is told by it before the primary key could refuse the rows, and a fenced writer sends
/// nothing.
/// </summary>
internal sealed class PostgresShards(PostgresDatabase database, TimeProvider time)
{
    /// <summary>
    /// Bytes encoded before they are sent: a few rows of the largest payload, and far above the driver's own buffer, which is then passed
    /// by.
    /// </summary>
    private const int ChunkBytes = 1 << 20;

    /// <summary>
    /// An arbitrary constant: the first half of the advisory lock under which a shard is claimed; the shard is the second.
    /// </summary>
    private const int LockKey = 0x7A61_7073;

    private const string Lock = """
        SELECT pg_advisory_xact_lock($1, $2)
        """;

    private const string Introduce = """
        INSERT INTO shards (shard, journal_id, epoch)
        SELECT $1, $2, coalesce(max(epoch), 0)
        FROM shards
        WHERE shard = $1
        ON CONFLICT (shard, journal_id) DO NOTHING
        """;

    /// <summary>
    /// Raises every journal's row, not the claimed one alone: it waits for a commit in flight, and whoever held the shard finds another
    /// epoch in its own row. A look at other rows would not do: a statement that waited for a lock still sees them as they were before.
    /// A claim that does not raise claims too is refused by a trigger (migration 0014): it is of a version that knows less.
    /// </summary>
    private const string Raise = """
        UPDATE shards SET epoch = (SELECT max(o.epoch) + 1 FROM shards o WHERE o.shard = $1), claims = claims + 1 WHERE shard = $1
        """;

    private const string Claimed = """
        SELECT s.epoch, s.stored_through, s.stored_sequence,
               (SELECT o.stored_through FROM shards o WHERE o.shard = $1 ORDER BY o.stored_through DESC NULLS LAST LIMIT 1)
        FROM shards s
        WHERE s.shard = $1 AND s.journal_id = $2
        """;

    private const string Advance = """
        UPDATE shards
        SET stored_through = $5, stored_sequence = $6, updated_at = now()
        WHERE shard = $1 AND journal_id = $2 AND epoch = $3 AND stored_through IS NOT DISTINCT FROM $4
        """;

    /// <summary>Rides along with the checkpoint's move, in the same round trip.</summary>
    private const string Count = """
        INSERT INTO ledger_days AS l (organization_no, day, kind, events)
        SELECT u.organization_no, u.day, 1, u.events
        FROM unnest($1::integer[], $2::integer[], $3::bigint[]) AS u (organization_no, day, events)
        ON CONFLICT (organization_no, day, kind) DO UPDATE SET events = l.events + excluded.events
        """;

    private const string Read = """
        SELECT epoch, stored_through, stored_sequence FROM shards WHERE shard = $1 AND journal_id = $2
        """;

    private const string Quarantine = """
        INSERT INTO quarantine (organization_no, id, shard, event, reason, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
        """;

    /// <summary>See <see cref="IEventStore.ReadCheckpointAsync"/>.</summary>
    public async Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Read,
            parameters => parameters.With(shard).With(journalId),
            row => new Checkpoint(IdOrZero(row, 1), row.GetInt64(2)),
            cancellationToken);
        return rows.Count == 0 ? default : rows[0];
    }

    /// <summary>
    /// See <see cref="IEventStore.ClaimShardAsync"/>. One transaction; under READ COMMITTED each of its statements sees what was committed
    /// before it, so what follows the lock knows all earlier claims, and what follows the raise knows the commit that it waited for.
    /// </summary>
    public Task<ShardClaim?> ClaimAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken) =>
        database.RunAsync<ShardClaim?>(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                var claim = await RaiseAsync(connection, shard, journalId, cancellationToken);
                await PostgresMigrations.CheckAsync(connection, cancellationToken);
                if (claim.StoredThrough != expected)
                {
                    await transaction.RollbackAsync(cancellationToken);
                    return null;
                }

                await transaction.CommitAsync(cancellationToken);
                return claim;
            },
            cancellationToken);

    private static async Task<ShardClaim> RaiseAsync(
        NpgsqlConnection connection, int shard, Guid journalId, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        Add(batch, Lock).With(LockKey).With(shard);
        Add(batch, Introduce).With(shard).With(journalId);
        Add(batch, Raise).With(shard);
        Add(batch, Claimed).With(shard).With(journalId);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var rows = await reader.ReadAllAsync(
            row => new ShardClaim(
                shard, row.GetInt64(0), journalId, new Checkpoint(IdOrZero(row, 1), row.GetInt64(2)), IdOrZero(row, 3)),
            cancellationToken);
        return rows[0];
    }

    /// <summary>
    /// See <see cref="IEventStore.AppendAsync"/>; a missing partition leaves as the driver's exception's mapping with that SQLSTATE.
    /// </summary>
    public Task AppendAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken) =>
        CommitAsync(
            claim,
            previous,
            next,
            events,
            connection => events.IsEmpty ? Task.CompletedTask : CopyAsync(connection, events, cancellationToken),
            cancellationToken);

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
            default,
            async connection =>
            {
                await using var command = new NpgsqlCommand(Quarantine, connection);
                command.Parameters.With(refused.OrganizationNo).With(refused.Id).With(claim.Shard)
                    .With(QuarantinedRow.Encode(refused)).With(reason.Replace('\0', '\uFFFD')).With(time.GetUtcNow());
                if (await command.ExecuteNonQueryAsync(cancellationToken) == 0) return; // kept before
                await using var batch = new NpgsqlBatch(connection);
                AddCount(batch, claim, new[] { refused });
                await batch.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    private Task<bool> CommitAsync(
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> counted,
        Func<NpgsqlConnection, Task> write,
        CancellationToken cancellationToken) =>
        database.RunAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                if (!await TryAdvanceAsync(connection, claim, previous, next, counted, cancellationToken))
                {
                    await transaction.RollbackAsync(cancellationToken);
                    await ExplainAsync(connection, claim, next, cancellationToken);
                    return false;
                }

                await write(connection);
                Failpoint.Pass(Failpoint.StoreCommitting);
                await transaction.CommitAsync(cancellationToken);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Moves the checkpoint, counts the events and lowers the inbox marks above late ones; false when the checkpoint was not where it should
    /// be: roll back.
    /// </summary>
    private static async Task<bool> TryAdvanceAsync(
        NpgsqlConnection connection,
        ShardClaim claim,
        Checkpoint previous,
        Checkpoint next,
        ReadOnlyMemory<JournaledEvent> counted,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        var advance = new NpgsqlBatchCommand(Advance);
        batch.BatchCommands.Add(advance);
        advance.Parameters.With(claim.Shard).With(claim.JournalId).With(claim.Epoch)
            .With(Nullable(previous.Id)).With(Nullable(next.Id)).With(next.Sequence);
        if (!counted.IsEmpty) AddCount(batch, claim, counted.Span);
        PostgresInboxMarks.AddLowering(batch, LateEvents.FirstOf(claim, counted.Span));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return advance.RecordsAffected > 0;
    }

    private static void AddCount(NpgsqlBatch batch, ShardClaim claim, ReadOnlySpan<JournaledEvent> counted)
    {
        var count = AcceptedCount.Of(counted);
        var (organizationNos, days, events) = count.ForLedger();
        Add(batch, Count).With(organizationNos).With(days).With(events);
        PostgresUsage.Add(batch, count.ForUsage(), claim.JournalId);
    }

    /// <summary>Why no row matched: returns when the checkpoint is at <paramref name="next"/> already, else throws.</summary>
    private static async Task ExplainAsync(
        NpgsqlConnection connection,
        ShardClaim claim,
        Checkpoint next,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Read, connection);
        command.Parameters.With(claim.Shard).With(claim.JournalId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = await reader.ReadAllAsync(row => (Epoch: row.GetInt64(0), Through: IdOrZero(row, 1)), cancellationToken);
        CheckpointMismatch.Explain(claim, next, rows.Count == 0 ? null : rows[0].Epoch, rows.Count == 0 ? default : rows[0].Through);
    }

    private static async Task CopyAsync(
        NpgsqlConnection connection,
        ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken)
    {
        var stream = await connection.BeginRawBinaryCopyAsync(EventCopyEncoder.Sql, cancellationToken);
        stream.WriteTimeout = stream.ReadTimeout = connection.CommandTimeout * 1000;
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

            // Tells the server that the rows are complete, and waits for its word.
            await stream.DisposeAsync();
        }
        catch
        {
            await CancelAsync(stream);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Takes a COPY back. Where that fails the COPY has ended or the connection is lost, and what went wrong first is what counts; the
    /// transaction is rolled back in any case.
    /// </summary>
    private static async Task CancelAsync(NpgsqlRawCopyStream stream)
    {
        try
        {
            await stream.CancelAsync();
        }
        catch (Exception error) when (error is NpgsqlException or ObjectDisposedException or InvalidOperationException or IOException)
        {
            // See above.
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

    private static NpgsqlParameterCollection Add(NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command.Parameters;
    }

    private static EventId IdOrZero(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? default : row.GetEventId(column);

    private static Guid? Nullable(EventId id) => id.IsZero ? null : id.ToGuid();
}
