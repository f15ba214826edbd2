using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Endpoints with their filters and the beginnings of their lanes.</summary>
internal sealed class SqliteEndpoints(SqliteDatabase database)
{
    private const string Load = """
        SELECT p.organization_no, p.id, p.is_default, p.url, p.secret, p.enabled, p.disabled_reason, p.created_at, p.updated_at,
               l.delivered_through, p.description, p.headers, p.rate_limit_per_second, p.max_in_flight, p.timeout_seconds, p.retry_schedule,
               p.ordering, p.starts_after, p.previous_secret, p.previous_secret_until, l.generation,
               p.disabled_at, l.failing_since, l.failing_told_at, p.format
        FROM endpoints p
        JOIN lanes l ON l.organization_no = p.organization_no AND l.endpoint_id = p.id
        """;

    private const string LoadFilters = """
        SELECT f.organization_no, f.endpoint_id, f.from_id, f.event_types FROM endpoint_filters f ORDER BY f.from_id
        """;

    private const string Save = """
        INSERT INTO endpoints (organization_no, id, is_default, url, secret, enabled, disabled_reason, created_at, updated_at, description,
                               headers, rate_limit_per_second, max_in_flight, timeout_seconds, retry_schedule, ordering, starts_after,
                               previous_secret, previous_secret_until, disabled_at, format)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        ON CONFLICT (organization_no, id) DO UPDATE
        SET url = excluded.url, secret = excluded.secret, enabled = excluded.enabled, disabled_reason = excluded.disabled_reason,
            updated_at = excluded.updated_at, description = excluded.description, headers = excluded.headers,
            rate_limit_per_second = excluded.rate_limit_per_second, max_in_flight = excluded.max_in_flight,
            timeout_seconds = excluded.timeout_seconds, retry_schedule = excluded.retry_schedule, ordering = excluded.ordering,
            previous_secret = excluded.previous_secret, previous_secret_until = excluded.previous_secret_until,
            disabled_at = excluded.disabled_at, format = excluded.format
        """;

    private const string Health = """
        UPDATE lanes SET failing_since = $3, failing_told_at = $4 WHERE organization_no = $1 AND endpoint_id = $2
        """;

    private const string InsertLane = """
        INSERT INTO lanes (organization_no, endpoint_id, delivered_through) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
        """;

    private const string DropFilters = """
        DELETE FROM endpoint_filters WHERE organization_no = $1 AND endpoint_id = $2
        """;

    private const string InsertFilter = """
        INSERT INTO endpoint_filters (organization_no, endpoint_id, from_id, event_types) VALUES ($1, $2, $3, $4)
        """;

    private const string DropRetries = """
        DELETE FROM retries WHERE organization_no = $1 AND endpoint_id = $2
        """;

    private const string DropLane = """
        DELETE FROM lanes WHERE organization_no = $1 AND endpoint_id = $2
        """;

    private const string Drop = """
        DELETE FROM endpoints WHERE organization_no = $1 AND id = $2
        """;

    private const string TouchOrganization = """
        UPDATE organizations SET updated_at = $2 WHERE organization_no = $1
        """;

    /// <summary>See <see cref="IDeliveryStore.LoadEndpointsAsync"/>.</summary>
    public Task<IReadOnlyList<EndpointRecord>> LoadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<EndpointRecord>>(
            connection =>
            {
                var filters = connection.Query(LoadFilters, ReadFilter)
                    .ToLookup(row => (row.OrganizationNo, row.EndpointId), row => row.Version);
                return connection.Query(Load, row => ReadEndpoint(row, filters));
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
                connection.Execute(TouchOrganization, no, endpoint.UpdatedAt);
                connection.Execute(InsertLane, no, id, endpoint.DeliveredThrough);
                connection.Execute(DropFilters, no, id);
                foreach (var (from, patterns) in endpoint.Filters.Versions)
                    connection.Execute(InsertFilter, no, id, from, EndpointColumns.Encode(patterns));
                return connection.Execute(
                    Save,
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
        database.WriteAsync(connection => connection.Execute(Health, organizationNo, id, failingSince, toldAt), cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.DeleteEndpointAsync"/>.</summary>
    public Task DeleteAsync(int organizationNo, Guid id, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organizationNo, id);
        return database.WriteAsync(
            connection =>
            {
                SqliteAudit.Insert(connection, entry);
                var dropped = connection.Execute(Drop, organizationNo, id);
                if (dropped > 0) connection.Execute(TouchOrganization, organizationNo, at);
                SqliteInboxMarks.LowerToRetries(connection, organizationNo, id);
                foreach (var sql in (ReadOnlySpan<string>)[DropFilters, DropRetries, DropLane]) connection.Execute(sql, organizationNo, id);
                return dropped;
            },
            cancellationToken);
    }

    private static (int OrganizationNo, Guid EndpointId, FilterVersion Version) ReadFilter(SqliteDataReader row) =>
        (row.GetInt32(0), row.GetUuid(1), new FilterVersion(row.GetEventId(2), EndpointColumns.DecodePatterns(row.GetString(3))));

    private static EndpointRecord ReadEndpoint(SqliteDataReader row, ILookup<(int, Guid), FilterVersion> filters) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        IsDefault = row.GetBoolean(2),
        Url = row.GetString(3),
        Secret = row.GetString(4),
        Enabled = row.GetBoolean(5),
        DisabledReason = row.GetTextOrNull(6),
        CreatedAt = row.GetTime(7),
        UpdatedAt = row.GetTime(8),
        DeliveredThrough = row.GetEventId(9),
        Description = row.GetTextOrNull(10),
        Headers = EndpointColumns.DecodeHeaders(row.GetString(11)),
        RateLimitPerSecond = row.GetIntOrNull(12),
        MaxInFlight = row.GetIntOrNull(13),
        TimeoutSeconds = row.GetIntOrNull(14),
        RetrySchedule = EndpointColumns.DecodeSeconds(row.GetTextOrNull(15)),
        Ordering = EndpointColumns.DecodeOrdering(row.GetString(16)),
        StartsAfter = row.IsDBNull(17) ? null : row.GetEventId(17),
        PreviousSecret = row.GetTextOrNull(18),
        PreviousSecretUntil = row.GetTimeOrNull(19),
        LaneGeneration = row.GetInt32(20),
        DisabledAt = row.GetTimeOrNull(21),
        FailingSince = row.GetTimeOrNull(22),
        FailingToldAt = row.GetTimeOrNull(23),
        Format = EndpointColumns.DecodeFormat(row.GetString(24)),
        Filters = new EndpointFilters([.. filters[(row.GetInt32(0), row.GetUuid(1))]]),
    };
}
