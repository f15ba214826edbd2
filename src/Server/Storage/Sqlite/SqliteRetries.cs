using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Retries that wait, over all organizations: what is due is found by time.</summary>
internal sealed class SqliteRetries(SqliteDatabase database)
{
    /// <summary>A retry that may be tried: its endpoint is enabled, and its event not acknowledged or it was asked for by hand.</summary>
    private const string Waiting = """
        retries r
        JOIN endpoints p ON p.organization_no = r.organization_no AND p.id = r.endpoint_id AND p.enabled
        WHERE (r.owed > 0 OR NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = r.organization_no AND a.event_id = r.event_id))
        """;

    private const string Due = $"""
        SELECT r.organization_no, r.endpoint_id, r.event_id, r.attempts + 1, r.base, r.owed > 0, e.type, e.payload, e.ordering_key, e.traceparent
        FROM events e
        JOIN (SELECT r.organization_no, r.endpoint_id, r.event_id, r.attempts, r.base, r.owed, r.due_at
              FROM {Waiting} AND r.organization_no = $1 AND r.endpoint_id = $2 AND r.due_at <= $3
              ORDER BY r.due_at
              LIMIT $4) r ON e.organization_no = r.organization_no AND e.id = r.event_id
        ORDER BY r.due_at, r.event_id
        """;

    private const string Claim = """
        UPDATE retries SET attempts = $4, due_at = $5, claimed = 1 WHERE organization_no = $1 AND endpoint_id = $2 AND event_id = $3
        """;

    private const string Release = """
        UPDATE retries SET claimed = 0, due_at = $5, attempts = attempts - CASE WHEN $6 THEN 0 ELSE 1 END
        WHERE organization_no = $1 AND endpoint_id = $2 AND event_id = $3 AND attempts = $4 AND claimed
        """;

    private const string Next = $"""
        SELECT r.due_at FROM {Waiting} ORDER BY r.due_at LIMIT 1
        """;

    private const string FailingKeys = """
        SELECT e.ordering_key, r.event_id
        FROM retries r
        JOIN events e ON e.organization_no = $1 AND e.id = r.event_id
        WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.at >= $3 AND e.ordering_key IS NOT NULL
        ORDER BY r.at DESC
        LIMIT $4
        """;

    /// <summary>
    /// See <see cref="IDeliveryStore.ClaimRetriesAsync"/>. One transaction on the only writing connection is as good as one statement.
    /// </summary>
    public Task<IReadOnlyList<ClaimedRetry>> ClaimAsync(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms, CancellationToken cancellationToken) =>
        database.WriteAsync<IReadOnlyList<ClaimedRetry>>(
            connection =>
            {
                var due = new List<ClaimedRetry>();
                foreach (var room in rooms)
                {
                    if (due.Count >= limit) break;
                    var most = Math.Min(room.Count, limit - due.Count);
                    due.AddRange(connection.Query(Due, ReadRetry, room.OrganizationNo, room.EndpointId, now, most));
                }

                using var claim = new SqliteStatement(connection, Claim);
                foreach (var retry in due) claim.Execute(retry.OrganizationNo, retry.EndpointId, retry.Event.Id, retry.Attempt, leaseUntil);
                return due;
            },
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.ReleaseRetriesAsync"/>.</summary>
    public Task ReleaseAsync(IReadOnlyList<HeldClaim> claims, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
        connection =>
        {
            using var release = new SqliteStatement(connection, Release);
            foreach (var claim in claims)
                release.Execute(claim.OrganizationNo, claim.EndpointId, claim.EventId, claim.Attempt, now, claim.IsBegun);
            return claims.Count;
        },
        cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.ReadFailingKeysAsync"/>.</summary>
    public async Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since, CancellationToken cancellationToken) =>
        await database.ReadAsync(
            connection => connection.Query(
                FailingKeys, row => (row.GetString(0), row.GetEventId(1)), organizationNo, endpointId, since, KeyOrder.MostWaiting),
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.NextRetryAsync"/>.</summary>
    public async Task<DateTimeOffset?> NextAsync(CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(connection => connection.Query(Next, row => row.GetTime(0)), cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    private static ClaimedRetry ReadRetry(SqliteDataReader row) => new(
        row.GetInt32(0),
        row.GetUuid(1),
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
        row.GetBoolean(5));
}
