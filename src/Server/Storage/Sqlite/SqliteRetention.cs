using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Retention in SQLite: short transactions on the writing thread, between which whatever else waits has its turn. The pages that become
/// free are used again for new events; the file is not made smaller, since it would soon grow to the same size (docs/operations.md).
/// </summary>
internal sealed class SqliteRetention(SqliteDatabase database) : IRetentionStore
{
    private const string Oldest = """
        SELECT * FROM (SELECT e.id FROM events e WHERE e.organization_no = $1 AND e.id < $2 ORDER BY e.id LIMIT $3)
        UNION
        SELECT * FROM (SELECT q.id FROM quarantine q WHERE q.organization_no = $1 AND q.id < $2 ORDER BY q.id LIMIT $3)
        ORDER BY 1
        LIMIT $3
        """;

    private const string Note = """
        INSERT INTO expirations (organization_no, expired_through)
        VALUES ($1, $2)
        ON CONFLICT (organization_no) DO UPDATE SET expired_through = max(expired_through, excluded.expired_through)
        """;

    private const string Forget = """
        DELETE FROM erased_events
        WHERE EXISTS (SELECT 1 FROM expirations t
                      WHERE t.organization_no = erased_events.organization_no AND t.expired_through >= erased_events.id)
        """;

    /// <inheritdoc/>
    public async Task<Expired> ExpireAsync(int organizationNo, EventId before, int limit, CancellationToken cancellationToken)
    {
        var step = await database.WriteAsync(connection => Remove(connection, organizationNo, before, limit), cancellationToken);
        if (!step.IsDone) return step;
        var webhooks = step.Webhooks;
        foreach (var sql in RetentionStatements.Sweeps)
        {
            int removed;
            do
            {
                removed = await database.WriteAsync(connection => Sweep(connection, sql, organizationNo, before, limit), cancellationToken);
                if (sql == RetentionStatements.Sweeps[0]) webhooks += removed;
            }
            while (removed == limit);
        }

        return step with { Webhooks = webhooks };
    }

    /// <inheritdoc/>
    public Task<long> DropDaysAsync(EventId before, CancellationToken cancellationToken) => Task.FromResult(0L);

    /// <inheritdoc/>
    public Task ForgetErasedAsync(EventId hashesBefore, CancellationToken cancellationToken) => database.WriteAsync(
        connection => connection.Execute(RetentionStatements.ForgetHashes, hashesBefore) + connection.Execute(Forget), cancellationToken);

    private static int Sweep(SqliteConnection connection, string sql, int organizationNo, EventId before, int limit)
    {
        using var fast = SqliteFastDelete.On(connection);
        return connection.Execute(sql, organizationNo, before, limit);
    }

    private static Expired Remove(SqliteConnection connection, int organizationNo, EventId before, int limit)
    {
        var ids = connection.Query(Oldest, row => row.GetEventId(0), organizationNo, before, limit);
        var isDone = ids.Count < limit;
        if (ids.Count == 0) return new Expired(0, 0, isDone);
        using var fast = SqliteFastDelete.On(connection);
        var (removed, webhooks) = SqliteRemoval.Run(connection, organizationNo, ids);
        SqliteRemoval.CountRemoved(connection, organizationNo, removed, LedgerKind.Expired);
        connection.Execute(Note, organizationNo, isDone ? before : ids[^1]);
        return new Expired(ids.Count, webhooks, isDone);
    }
}
