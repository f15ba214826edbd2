using Npgsql;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Endpoints and lanes in Postgres; retries and outcomes in files of their own.</summary>
internal sealed class PostgresDeliveryStore(PostgresDatabase database, TimeProvider time) : IDeliveryStore
{
    private const string Load = """
        SELECT p.organization_no, p.id, p.is_default, p.url, p.secret, p.enabled, p.disabled_reason, p.created_at, p.updated_at,
               l.delivered_through
        FROM endpoints p
        JOIN lanes l ON l.organization_no = p.organization_no AND l.endpoint_id = p.id
        """;

    private const string Save = """
        WITH touched AS (
            UPDATE organizations SET updated_at = $9 WHERE organization_no = $1
        ), lane AS (
            INSERT INTO lanes (organization_no, endpoint_id, delivered_through) VALUES ($1, $2, $10) ON CONFLICT DO NOTHING
        )
        INSERT INTO endpoints (organization_no, id, is_default, url, secret, enabled, disabled_reason, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (organization_no, id) DO UPDATE
        SET url = excluded.url, secret = excluded.secret, enabled = excluded.enabled, disabled_reason = excluded.disabled_reason,
            updated_at = excluded.updated_at
        """;

    /// <summary>
    /// Payloads are cut off by their running size before they are read; what is settled is looked at but brings no bytes.
    /// </summary>
    private const string Lane = """
        SELECT w.id, w.settled, w.type, CASE WHEN w.settled THEN NULL ELSE w.payload END, w.ordering_key
        FROM (
            SELECT s.*, sum(s.size) OVER (ORDER BY s.id) AS running
            FROM (
                SELECT n.*, CASE WHEN n.settled THEN 0 ELSE octet_length(n.payload) END AS size
                FROM (
                    SELECT e.id, e.type, e.payload, e.ordering_key,
                           EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id)
                           OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $2)
                           OR EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.event_id = e.id)
                           AS settled
                    FROM events e
                    WHERE e.organization_no = $1 AND e.id > $3
                    ORDER BY e.id
                    LIMIT $4
                ) n
            ) s
        ) w
        WHERE w.running - w.size < $5
        ORDER BY w.id
        """;

    private readonly PostgresRetries _retries = new(database);
    private readonly PostgresOutcomes _outcomes = new(database, time);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EndpointRecord>> LoadEndpointsAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(Load, _ => { }, ReadEndpoint, cancellationToken);

    /// <inheritdoc/>
    public Task SaveEndpointAsync(EndpointRecord endpoint, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            Save,
            parameters => parameters.With(endpoint.OrganizationNo).With(endpoint.Id).With(endpoint.IsDefault).With(endpoint.Url)
                .With(endpoint.Secret).With(endpoint.Enabled).With(endpoint.DisabledReason)
                .With(endpoint.CreatedAt.ToUniversalTime()).With(endpoint.UpdatedAt.ToUniversalTime())
                .With(endpoint.DeliveredThrough),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<LanePage> ReadLaneAsync(
        int organizationNo,
        Guid endpointId,
        EventId after,
        int limit,
        int maxBytes,
        CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Lane,
            parameters => parameters.With(organizationNo).With(endpointId).With(after).With(limit).With((long)maxBytes),
            row => (Id: row.GetEventId(0), Due: row.GetBoolean(1) ? null : ReadDue(row)),
            cancellationToken);
        return new LanePage([.. rows.Where(row => row.Due is not null).Select(row => row.Due!)], rows.Count == 0 ? after : rows[^1].Id);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ClaimedRetry>> ClaimRetriesAsync(
        DateTimeOffset now,
        DateTimeOffset leaseUntil,
        int limit,
        IReadOnlyList<ClaimRoom> rooms,
        CancellationToken cancellationToken) =>
        _retries.ClaimAsync(now.ToUniversalTime(), leaseUntil.ToUniversalTime(), limit, rooms, cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken) => _retries.NextAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) => _outcomes.RecordAsync(batch, cancellationToken);

    private static DueEvent ReadDue(NpgsqlDataReader row) => new()
    {
        Id = row.GetEventId(0),
        Type = row.GetString(2),
        Payload = row.GetFieldValue<byte[]>(3),
        OrderingKey = row.GetTextOrNull(4),
    };

    private static EndpointRecord ReadEndpoint(NpgsqlDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetGuid(1),
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
