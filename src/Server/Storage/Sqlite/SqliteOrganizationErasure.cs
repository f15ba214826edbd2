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
            var removed = await RunAsync([sql], organizationNo, limit, cancellationToken);
            if (sql == OrganizationTables.Pieces[0]) events = removed;
            if (removed == limit) return (events, false);
        }

        if (!mayEnd) return (events, false);
        await RunAsync(OrganizationTables.Rest, organizationNo, limit, cancellationToken);
        return (events, true);
    }

    private Task<int> RunAsync(
        string[] statements, int organizationNo, int limit, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            using var secure = SqliteSecureDelete.On(connection);
            var removed = 0;
            foreach (var sql in statements)
            {
                removed += sql.Contains("$2", StringComparison.Ordinal)
                    ? connection.Execute(sql, organizationNo, limit)
                    : connection.Execute(sql, organizationNo);
            }

            return removed;
        },
        cancellationToken);
}
