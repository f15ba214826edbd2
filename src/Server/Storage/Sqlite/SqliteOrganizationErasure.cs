using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Removes an organization's rows from every table, some at a time.</summary>
internal sealed class SqliteOrganizationErasure(SqliteDatabase database)
{
    /// <summary>See <see cref="Core.Storing.IErasureStore.EraseOrganizationRowsAsync"/>.</summary>
    public async Task<(long Events, bool IsLast)> EraseRowsAsync(int organizationNo, int limit, CancellationToken cancellationToken)
    {
        var events = 0L;
        foreach (var sql in OrganizationTables.Pieces)
        {
            var removed = await database.WriteAsync(connection => Remove(connection, sql, organizationNo, limit), cancellationToken);
            if (sql == OrganizationTables.Pieces[0]) events = removed;
            if (removed == limit) return (events, false);
        }

        return (events, true);
    }

    /// <summary>See <see cref="Core.Storing.IErasureStore.EndOrganizationAsync"/>.</summary>
    public Task EndAsync(int organizationNo, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            SqlitePurge.Owe(connection);
            foreach (var sql in OrganizationTables.Rest) connection.Execute(sql, organizationNo);
            return connection.Execute(OrganizationTables.KeepNumber, organizationNo, new EventId(ulong.MaxValue, ulong.MaxValue));
        },
        cancellationToken);

    private static int Remove(SqliteConnection connection, string sql, int organizationNo, int limit)
    {
        var removed = connection.Execute(sql, organizationNo, limit);
        if (removed > 0) SqlitePurge.Owe(connection);
        return removed;
    }
}
