using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Endpoints with their filters and the beginnings of their lanes.</summary>
internal sealed class SqliteEndpoints(SqliteDatabase database)
{
    private const string LoadFilters = $"{EndpointStatements.LoadFilters} ORDER BY f.from_id";

    private const string InsertFilter = """
        INSERT INTO endpoint_filters (organization_no, endpoint_id, from_id, event_types) VALUES ($1, $2, $3, $4)
        """;

    private const string DropRetries = """
        DELETE FROM retries WHERE organization_no = $1 AND endpoint_id = $2
        """;

    /// <summary>See <see cref="IDeliveryStore.LoadEndpointsAsync"/>.</summary>
    public Task<IReadOnlyList<EndpointRecord>> LoadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<EndpointRecord>>(
            connection =>
            {
                var filters = connection.Query(LoadFilters, EndpointStatements.ReadFilter)
                    .ToLookup(row => (row.OrganizationNo, row.EndpointId), row => row.Version);
                return connection.Query(EndpointStatements.Load, row => EndpointStatements.Read(row, filters));
            },
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.SaveEndpointAsync"/>.</summary>
    public Task SaveAsync(EndpointRecord endpoint, CancellationToken cancellationToken)
    {
        var (no, id) = (endpoint.OrganizationNo, endpoint.Id);
        var entry = AuditedCall.EntryFor(no, id);
        return database.WriteAsync(
            connection =>
            {
                SqliteAudit.Insert(connection, entry);
                connection.Execute(AccountStatements.Touch, no, endpoint.UpdatedAt);
                connection.Execute(EndpointStatements.InsertLane, no, id, endpoint.DeliveredThrough);
                connection.Execute(EndpointStatements.DropFilters, no, id);
                foreach (var (from, patterns) in endpoint.Filters.Versions)
                    connection.Execute(InsertFilter, no, id, from, EndpointColumns.Encode(patterns));
                return connection.Execute(
                    EndpointStatements.Save,
                    no,
                    id,
                    endpoint.IsDefault,
                    endpoint.Url,
                    endpoint.Secret,
                    endpoint.Enabled,
                    endpoint.DisabledReason,
                    endpoint.CreatedAt,
                    endpoint.UpdatedAt,
                    endpoint.Description,
                    EndpointColumns.Encode(endpoint.Headers),
                    endpoint.RateLimitPerSecond,
                    endpoint.MaxInFlight,
                    endpoint.TimeoutSeconds,
                    EndpointColumns.Encode(endpoint.RetrySchedule),
                    EndpointColumns.Encode(endpoint.Ordering),
                    endpoint.StartsAfter,
                    endpoint.PreviousSecret,
                    endpoint.PreviousSecretUntil,
                    endpoint.DisabledAt,
                    EndpointColumns.Encode(endpoint.Format));
            },
            cancellationToken);
    }

    /// <summary>See <see cref="IDeliveryStore.SaveHealthAsync"/>.</summary>
    public Task SaveHealthAsync(
        int organizationNo, Guid id, DateTimeOffset? failingSince, DateTimeOffset? toldAt, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.Execute(EndpointStatements.Health, organizationNo, id, failingSince, toldAt), cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.DeleteEndpointAsync"/>.</summary>
    public Task DeleteAsync(int organizationNo, Guid id, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organizationNo, id);
        return database.WriteAsync(
            connection =>
            {
                SqliteAudit.Insert(connection, entry);
                var dropped = connection.Execute(EndpointStatements.Drop, organizationNo, id);
                if (dropped > 0) connection.Execute(AccountStatements.Touch, organizationNo, at);
                SqliteInboxMarks.LowerToRetries(connection, organizationNo, id);
                connection.Execute(EndpointStatements.DropFilters, organizationNo, id);
                connection.Execute(DropRetries, organizationNo, id);
                connection.Execute(EndpointStatements.DropLane, organizationNo, id);
                return dropped;
            },
            cancellationToken);
    }
}
