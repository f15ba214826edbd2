using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Retries that wait, over all organizations: what is due is found by time.</summary>
internal sealed class PostgresRetries(PostgresDatabase database)
{
    /// <summary>Rows that another server is claiming right now are passed over. The attempt is counted before it is made.</summary>
    private const string Claim = """
        WITH due AS (
            SELECT d.organization_no, d.endpoint_id, d.event_id, d.due_at
            FROM unnest($4::integer[], $5::uuid[], $6::integer[]) AS room (organization_no, endpoint_id, most)
            JOIN endpoints p ON p.organization_no = room.organization_no AND p.id = room.endpoint_id AND p.enabled
            CROSS JOIN LATERAL (
                SELECT r.organization_no, r.endpoint_id, r.event_id, r.due_at
                FROM retries r
                WHERE r.organization_no = room.organization_no AND r.endpoint_id = room.endpoint_id AND r.due_at <= $1
                  AND (r.owed > 0
                       OR NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = r.organization_no AND a.event_id = r.event_id))
                ORDER BY r.due_at
                LIMIT room.most
                FOR UPDATE OF r SKIP LOCKED
            ) d
            ORDER BY d.due_at
            LIMIT $3
        ), claimed AS (
            UPDATE retries r
            SET attempts = r.attempts + 1, due_at = $2, claimed = true
            FROM due d
            WHERE r.organization_no = d.organization_no AND r.endpoint_id = d.endpoint_id AND r.event_id = d.event_id
            RETURNING r.organization_no, r.endpoint_id, r.event_id, r.attempts, r.base, r.owed, d.due_at
        )
        SELECT c.organization_no, c.endpoint_id, c.event_id, c.attempts, c.base, c.owed > 0, e.type, e.payload, e.ordering_key, e.traceparent
        FROM claimed c
        JOIN events e ON e.organization_no = c.organization_no AND e.id = c.event_id
        ORDER BY c.due_at, c.event_id
        """;

    /// <summary>
    /// Waits for no lock: a row that somebody holds is being removed, or claimed after all. The notice is for servers that sleep until the
    /// lease's end.
    /// </summary>
    private const string Release = """
        WITH held AS (
            SELECT r.organization_no, r.endpoint_id, r.event_id, c.begun
            FROM retries r
            JOIN unnest($2::integer[], $3::uuid[], $4::uuid[], $5::integer[], $6::boolean[])
                AS c (organization_no, endpoint_id, event_id, attempts, begun)
              ON r.organization_no = c.organization_no AND r.endpoint_id = c.endpoint_id AND r.event_id = c.event_id
            WHERE r.claimed AND r.attempts = c.attempts
            FOR UPDATE OF r SKIP LOCKED
        ), released AS (
            UPDATE retries r
            SET claimed = false, due_at = $1, attempts = r.attempts - CASE WHEN h.begun THEN 0 ELSE 1 END
            FROM held h
            WHERE r.organization_no = h.organization_no AND r.endpoint_id = h.endpoint_id AND r.event_id = h.event_id
            RETURNING 1
        )
        SELECT pg_notify('zapier_triggers_retries', '') FROM released LIMIT 1
        """;

    private const string Next = """
        SELECT r.due_at
        FROM retries r
        JOIN endpoints p ON p.organization_no = r.organization_no AND p.id = r.endpoint_id AND p.enabled
        WHERE r.owed > 0 OR NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = r.organization_no AND a.event_id = r.event_id)
        ORDER BY r.due_at
        LIMIT 1
        """;

    private const string FailingKeys = """
        SELECT e.ordering_key, r.event_id
        FROM retries r
        JOIN events e ON e.organization_no = $1 AND e.id = r.event_id
        WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.at >= $3 AND e.ordering_key IS NOT NULL
        ORDER BY r.at DESC
        LIMIT $4
        """;

    /// <summary>See <see cref="IDeliveryStore.ClaimRetriesAsync"/>.</summary>
    public async Task<IReadOnlyList<ClaimedRetry>> ClaimAsync(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Claim,
            parameters => parameters.With(now).With(leaseUntil).With(limit)
                .With(rooms.Select(room => room.OrganizationNo).ToArray()).With(rooms.Select(room => room.EndpointId).ToArray())
                .With(rooms.Select(room => room.Count).ToArray()),
            row => new ClaimedRetry(
                row.GetInt32(0),
                row.GetGuid(1),
                new DueEvent
                {
                    Id = row.GetEventId(2),
                    Type = row.GetString(6),
                    Payload = row.GetFieldValue<byte[]>(7),
                    OrderingKey = row.GetTextOrNull(8),
                    TraceParent = row.GetTraceParent(9),
                },
                row.GetInt32(3),
                row.GetInt32(4),
                row.GetBoolean(5)),
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.ReleaseRetriesAsync"/>.</summary>
    public Task ReleaseAsync(IReadOnlyList<HeldClaim> claims, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
        Release,
        parameters => parameters.With(now.ToUniversalTime()).With(claims.Select(claim => claim.OrganizationNo).ToArray())
            .With(claims.Select(claim => claim.EndpointId).ToArray()).With(claims.Select(claim => claim.EventId.ToGuid()).ToArray())
            .With(claims.Select(claim => claim.Attempt).ToArray()).With(claims.Select(claim => claim.IsBegun).ToArray()),
        cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.ReadFailingKeysAsync"/>.</summary>
    public async Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            FailingKeys,
            parameters => parameters.With(organizationNo).With(endpointId).With(since.ToUniversalTime()).With(KeyOrder.MostWaiting),
            row => (row.GetString(0), row.GetEventId(1)),
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.NextRetryAsync"/>.</summary>
    public async Task<DateTimeOffset?> NextAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(Next, _ => { }, row => row.GetTime(0), cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }
}
