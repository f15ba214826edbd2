namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Removes an organization's rows from every table, some at a time.</summary>
internal sealed class PostgresOrganizationErasure(PostgresDatabase database)
{
    /// <summary>What comes only for an organization that is there waits for this, or this for it.</summary>
    private const string Lock = "SELECT 1 FROM organizations WHERE organization_no = $1 FOR UPDATE";

    /// <summary>See <see cref="Core.Storing.IErasureStore.EraseOrganizationRowsAsync"/>.</summary>
    public async Task<(long Events, bool IsLast)> EraseRowsAsync(int organizationNo, int limit, CancellationToken cancellationToken)
    {
        var events = 0L;
        foreach (var sql in OrganizationTables.Pieces)
        {
            var removed = await database.ExecuteAsync(sql, parameters => parameters.With(organizationNo).With(limit), cancellationToken);
            if (sql == OrganizationTables.Pieces[0]) events = removed;
            if (removed == limit) return (events, false);
        }

        return (events, true);
    }

    /// <summary>See <see cref="Core.Storing.IErasureStore.EndOrganizationAsync"/>.</summary>
    public Task EndAsync(int organizationNo, CancellationToken cancellationToken) => database.RunInTransactionAsync(
        async connection =>
        {
            await using var batch = new Npgsql.NpgsqlBatch(connection);
            batch.Add(Lock).With(organizationNo);
            foreach (var sql in OrganizationTables.Rest) batch.Add(sql).With(organizationNo);
            batch.Add(OrganizationTables.KeepNumber).With(organizationNo).With(new EventId(ulong.MaxValue, ulong.MaxValue));
            return await batch.ExecuteNonQueryAsync(cancellationToken);
        },
        cancellationToken);
}
