namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Removes an organization's rows from every table, some at a time.</summary>
internal sealed class SqliteOrganizationErasure(SqliteDatabase database)
{
    /// <summary>Of rows that hold what was sent, those that go next.</summary>
    private const string Next = """
        SELECT * FROM (SELECT e.id FROM events e WHERE e.organization_no = $1 ORDER BY e.id LIMIT $2)
        UNION ALL
        SELECT * FROM (SELECT q.id FROM quarantine q WHERE q.organization_no = $1 ORDER BY q.id LIMIT $2)
        """;

    /// <summary>See <see cref="Core.Storing.IErasureStore.EraseOrganizationAsync"/>.</summary>
    public async Task<(long Events, bool IsDone)> RunAsync(
        int organizationNo, int limit, bool mayEnd, CancellationToken cancellationToken)
    {
        await database.WriteAsync(
            connection =>
            {
                SqliteRemoval.Overwrite(connection, organizationNo, connection.Query(Next, row => row.GetEventId(0), organizationNo, limit));
                return true;
            },
            cancellationToken);
        var events = 0L;
        foreach (var sql in OrganizationTables.Pieces)
        {
            var removed = await database.WriteAsync(connection => connection.Execute(sql, organizationNo, limit), cancellationToken);
            if (sql == OrganizationTables.Pieces[0]) events = removed;
            if (removed == limit) return (events, false);
        }

        if (!mayEnd) return (events, false);
        var end = new EventId(ulong.MaxValue, ulong.MaxValue);
        await database.WriteAsync(
            connection =>
            {
                foreach (var sql in OrganizationTables.Rest) connection.Execute(sql, organizationNo);
                return connection.Execute(OrganizationTables.KeepNumber, organizationNo, end);
            },
            cancellationToken);
        return (events, true);
    }
}
