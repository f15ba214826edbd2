namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Removes an organization's rows from every table, some at a time.</summary>
internal sealed class SqliteOrganizationErasure(SqliteDatabase database)
{
    /// <summary>See <see cref="Core.Storing.IErasureStore.EraseOrganizationAsync"/>.</summary>
    public async Task<(long Events, bool IsDone)> RunAsync(
        int organizationNo, int limit, bool mayEnd, CancellationToken cancellationToken)
    {
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
