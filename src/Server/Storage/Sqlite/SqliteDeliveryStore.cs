using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Endpoints and lanes in SQLite; retries and outcomes in files of their own.</summary>
internal sealed class SqliteDeliveryStore(SqliteDatabase database, TimeProvider time) : IDeliveryStore
{
    private const string Load = """
        SELECT p.organization_no, p.id, p.is_default, p.url, p.secret, p.enabled, p.disabled_reason, p.created_at, p.updated_at,
               l.delivered_through
        FROM endpoints p
        JOIN lanes l ON l.organization_no = p.organization_no AND l.endpoint_id = p.id
        """;

    private const string Save = """
        INSERT INTO endpoints (organization_no, id, is_default, url, secret, enabled, disabled_reason, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (organization_no, id) DO UPDATE
        SET url = excluded.url, secret = excluded.secret, enabled = excluded.enabled, disabled_reason = excluded.disabled_reason,
            updated_at = excluded.updated_at
        """;

    private const string InsertLane = """
        INSERT INTO lanes (organization_no, endpoint_id, delivered_through) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
        """;

    private const string TouchOrganization = """
        UPDATE organizations SET updated_at = $2 WHERE organization_no = $1
        """;

    private const string Lane = """
        SELECT e.id,
               EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id)
               OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $2)
               OR EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.event_id = e.id),
               e.type, e.payload, e.ordering_key
        FROM events e
        WHERE e.organization_no = $1 AND e.id > $3
        ORDER BY e.id
        LIMIT $4
        """;

    private readonly SqliteRetries _retries = new(database);
    private readonly SqliteOutcomes _outcomes = new(database, time);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EndpointRecord>> LoadEndpointsAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(connection => connection.Query(Load, ReadEndpoint), cancellationToken);

    /// <inheritdoc/>
    public Task SaveEndpointAsync(EndpointRecord endpoint, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection =>
            {
                connection.Execute(TouchOrganization, endpoint.OrganizationNo, endpoint.UpdatedAt);
                connection.Execute(InsertLane, endpoint.OrganizationNo, endpoint.Id, endpoint.DeliveredThrough);
                return connection.Execute(
                    Save,
                    endpoint.OrganizationNo,
                    endpoint.Id,
                    endpoint.IsDefault,
                    endpoint.Url,
                    endpoint.Secret,
                    endpoint.Enabled,
                    endpoint.DisabledReason,
                    endpoint.CreatedAt,
                    endpoint.UpdatedAt);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<LanePage> ReadLaneAsync(
        int organizationNo,
        Guid endpointId,
        EventId after,
        int limit,
        int maxBytes,
        CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection =>
            {
                var events = new List<DueEvent>();
                var scannedThrough = after;
                var bytes = 0L;
                using var statement = new SqliteStatement(connection, Lane);
                using var row = statement.Open(organizationNo, endpointId, after, limit);
                while (bytes < maxBytes && row.Read())
                {
                    scannedThrough = row.GetEventId(0);
                    if (row.GetBoolean(1)) continue;
                    events.Add(ReadDue(row, scannedThrough));
                    bytes += events[^1].Payload.Length;
                }

                return new LanePage(events, scannedThrough);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ClaimedRetry>> ClaimRetriesAsync(
        DateTimeOffset now,
        DateTimeOffset leaseUntil,
        int limit,
        IReadOnlyList<ClaimRoom> rooms,
        CancellationToken cancellationToken) =>
        _retries.ClaimAsync(now, leaseUntil, limit, rooms, cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken) => _retries.NextAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) => _outcomes.RecordAsync(batch, cancellationToken);

    private static DueEvent ReadDue(SqliteDataReader row, EventId id) => new()
    {
        Id = id,
        Type = row.GetString(2),
        Payload = row.GetFieldValue<byte[]>(3),
        OrderingKey = row.GetTextOrNull(4),
    };

    private static EndpointRecord ReadEndpoint(SqliteDataReader row) => new()
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
    };
}
