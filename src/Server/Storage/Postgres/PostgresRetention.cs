using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Retention in Postgres: rows in chunks, whole days by dropping their partition.</summary>
internal sealed class PostgresRetention(PostgresDatabase database) : IRetentionStore
{
    private const int SweptAtOnce = 5_000;

    private const string Oldest = """
        SELECT u.id
        FROM ((SELECT e.id FROM events e WHERE e.organization_no = $1 AND e.id < $2 ORDER BY e.id LIMIT $3)
              UNION ALL
              (SELECT q.id FROM quarantine q WHERE q.organization_no = $1 AND q.id < $2 ORDER BY q.id LIMIT $3)) u
        ORDER BY u.id
        LIMIT $3
        """;

    private const string Note = """
        INSERT INTO expirations AS x (organization_no, expired_through)
        VALUES ($1, $2)
        ON CONFLICT (organization_no) DO UPDATE SET expired_through = greatest(x.expired_through, excluded.expired_through)
        """;

    private const string Forget = """
        DELETE FROM erased_events x USING expirations t WHERE t.organization_no = x.organization_no AND x.id <= t.expired_through
        """;

    private readonly PostgresDays _days = new(database);

    /// <inheritdoc/>
    public async Task<Expired> ExpireAsync(int organizationNo, EventId before, int limit, CancellationToken cancellationToken)
    {
        var ids = await database.QueryAsync(
            Oldest, parameters => parameters.With(organizationNo).With(before).With(limit), row => row.GetEventId(0), cancellationToken);
        var isDone = ids.Count < limit;
        var webhooks = 0;
        if (ids.Count > 0)
        {
            var through = isDone ? before : ids[^1];
            webhooks = await database.RunInTransactionAsync(
                connection => RemoveAsync(connection, organizationNo, ids, through, cancellationToken), cancellationToken);
        }

        if (isDone) webhooks += await SweepAsync(organizationNo, before, cancellationToken);
        return new Expired(ids.Count, webhooks, isDone);
    }

    /// <inheritdoc/>
    public async Task<long> DropDaysAsync(EventId before, CancellationToken cancellationToken)
    {
        var dropped = 0L;
        foreach (var day in await _days.EndedAsync(before, cancellationToken))
        {
            foreach (var organizationNo in await _days.OrganizationsAsync(day, cancellationToken))
                await SweepAsync(organizationNo, PostgresPartitions.BoundOf(day.AddDays(1)), cancellationToken);
            dropped += await _days.DropAsync(day, cancellationToken);
        }

        return dropped;
    }

    /// <inheritdoc/>
    public async Task ForgetErasedAsync(EventId hashesBefore, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync(
            RetentionStatements.ForgetHashes, parameters => parameters.With(hashesBefore), cancellationToken);
        await database.ExecuteAsync(Forget, _ => { }, cancellationToken);
    }

    private static async Task<int> RemoveAsync(
        NpgsqlConnection connection, int organizationNo, List<EventId> ids, EventId through, CancellationToken cancellationToken)
    {
        var (removed, webhooks) = await PostgresRemoval.RunAsync(
            connection, organizationNo, [.. ids.Select(id => id.ToGuid())], cancellationToken);
        await PostgresRemoval.CountAsync(connection, organizationNo, removed.Select(one => one.Id), LedgerKind.Expired, cancellationToken);
        await using var note = new NpgsqlCommand(Note, connection);
        note.Parameters.With(organizationNo).With(through);
        await note.ExecuteNonQueryAsync(cancellationToken);
        return webhooks;
    }

    /// <summary>Returns how many retries were among them.</summary>
    private async Task<int> SweepAsync(int organizationNo, EventId before, CancellationToken cancellationToken)
    {
        var webhooks = 0;
        foreach (var sql in RetentionStatements.Sweeps)
        {
            int removed;
            do
            {
                removed = await database.ExecuteAsync(
                    sql, parameters => parameters.With(organizationNo).With(before).With(SweptAtOnce), cancellationToken);
                if (sql == RetentionStatements.Sweeps[0]) webhooks += removed;
            }
            while (removed == SweptAtOnce);
        }

        return webhooks;
    }
}
