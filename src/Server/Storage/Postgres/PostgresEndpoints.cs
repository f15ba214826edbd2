using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Endpoints with their filters and the beginnings of their lanes. Each change is one implicit transaction and one round trip.
/// </summary>
internal sealed class PostgresEndpoints(PostgresDatabase database)
{
    private const string Load = $"""
        {EndpointStatements.Load}
        WHERE $1::integer[] IS NULL OR p.organization_no = ANY($1)
        """;

    private const string LoadFilters = $"""
        {EndpointStatements.LoadFilters}
        WHERE $1::integer[] IS NULL OR f.organization_no = ANY($1)
        ORDER BY f.from_id
        """;

    private const string InsertFilters = """
        INSERT INTO endpoint_filters (organization_no, endpoint_id, from_id, event_types)
        SELECT $1, $2, u.from_id, u.event_types FROM unnest($3::uuid[], $4::text[]) AS u (from_id, event_types)
        """;

    /// <summary>See <see cref="IDeliveryStore.LoadEndpointsAsync"/>.</summary>
    public Task<IReadOnlyList<EndpointRecord>> LoadAsync(CancellationToken cancellationToken) =>
        LoadAsync(organizationNos: null, cancellationToken);

    /// <summary>The same of some organizations; null = of all.</summary>
    public async Task<IReadOnlyList<EndpointRecord>> LoadAsync(int[]? organizationNos, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            LoadFilters, parameters => parameters.With(organizationNos), EndpointStatements.ReadFilter, cancellationToken);
        var filters = rows.ToLookup(row => (row.OrganizationNo, row.EndpointId), row => row.Version);
        return await database.QueryAsync(
            Load, parameters => parameters.With(organizationNos), row => EndpointStatements.Read(row, filters), cancellationToken);
    }

    /// <summary>See <see cref="IDeliveryStore.SaveEndpointAsync"/>.</summary>
    public Task SaveAsync(EndpointRecord endpoint, CancellationToken cancellationToken) => RunAsync(
        batch =>
        {
            var (no, id) = (endpoint.OrganizationNo, endpoint.Id);
            batch.Add(AccountStatements.Touch).With(no).With(endpoint.UpdatedAt.ToUniversalTime());
            batch.Add(EndpointStatements.Save).With(no).With(id).With(endpoint.IsDefault).With(endpoint.Url).With(endpoint.Secret)
                .With(endpoint.Enabled).With(endpoint.DisabledReason).With(endpoint.CreatedAt.ToUniversalTime())
                .With(endpoint.UpdatedAt.ToUniversalTime()).With(endpoint.Description).With(EndpointColumns.Encode(endpoint.Headers))
                .With(endpoint.RateLimitPerSecond).With(endpoint.MaxInFlight).With(endpoint.TimeoutSeconds)
                .With(EndpointColumns.Encode(endpoint.RetrySchedule)).With(EndpointColumns.Encode(endpoint.Ordering))
                .With(endpoint.StartsAfter?.ToGuid()).With(endpoint.PreviousSecret)
                .With(endpoint.PreviousSecretUntil?.ToUniversalTime()).With(endpoint.DisabledAt?.ToUniversalTime())
                .With(EndpointColumns.Encode(endpoint.Format));
            batch.Add(EndpointStatements.InsertLane).With(no).With(id).With(endpoint.DeliveredThrough);
            batch.Add(EndpointStatements.DropFilters).With(no).With(id);
            batch.Add(InsertFilters).With(no).With(id).With(endpoint.Filters.Versions.Select(version => version.From.ToGuid()).ToArray())
                .With(endpoint.Filters.Versions.Select(version => EndpointColumns.Encode(version.Patterns)).ToArray());
            PostgresAudit.AddTo(batch, AuditedCall.EntryFor(no, id));
        },
        cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.SaveHealthAsync"/>.</summary>
    public Task SaveHealthAsync(
        int organizationNo, Guid id, DateTimeOffset? failingSince, DateTimeOffset? toldAt, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            EndpointStatements.Health,
            parameters => parameters.With(organizationNo).With(id).With(failingSince?.ToUniversalTime()).With(toldAt?.ToUniversalTime()),
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.DeleteEndpointAsync"/>.</summary>
    public Task DeleteAsync(int organizationNo, Guid id, DateTimeOffset at, CancellationToken cancellationToken) => RunAsync(
        batch =>
        {
            batch.Add(AccountStatements.Touch).With(organizationNo).With(at.ToUniversalTime());
            batch.Add(EndpointStatements.DropLane).With(organizationNo).With(id);
            batch.Add(EndpointStatements.Drop).With(organizationNo).With(id);
            batch.Add(EndpointStatements.DropFilters).With(organizationNo).With(id);
            PostgresAudit.AddTo(batch, AuditedCall.EntryFor(organizationNo, id));
            batch.Add(PostgresInboxMarks.DropRetries).With(organizationNo).With(id);
        },
        cancellationToken);

    private Task<int> RunAsync(Action<NpgsqlBatch> fill, CancellationToken cancellationToken) => database.RunAsync(
        async connection =>
        {
            await using var batch = new NpgsqlBatch(connection);
            fill(batch);
            return await batch.ExecuteNonQueryAsync(cancellationToken);
        },
        cancellationToken);
}
