using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Sending again by hand: one more send is owed for each delivery, a dead letter's outcome makes room for its next round. Runs in the
/// caller's transaction.
/// </summary>
internal static class SqliteRequeue
{
    /// <summary>An outcome without a try (a blocked address) has none to keep.</summary>
    private const string KeepLastTry = """
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        SELECT organization_no, event_id, endpoint_id, attempts, at, response_status, latency_ms, error, response_body
        FROM outcomes
        WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3 AND status = 3 AND latency_ms IS NOT NULL
        ON CONFLICT DO NOTHING
        """;

    /// <summary>
    /// A try under way is not one that was asked for here: it is waited for. Else it is due at once, or when it was due before.
    /// </summary>
    private const string Queue = """
        INSERT INTO retries
            (organization_no, event_id, endpoint_id, due_at, attempts, base, owed, at, response_status, latency_ms, error)
        SELECT $1, $2, $3, $4, t.tries, t.tries, 1, coalesce(o.at, a.at, $5),
               CASE WHEN o.event_id IS NULL THEN a.response_status ELSE o.response_status END,
               CASE WHEN o.event_id IS NULL THEN a.latency_ms ELSE o.latency_ms END,
               CASE WHEN o.event_id IS NULL THEN a.error ELSE o.error END
        FROM (SELECT max(coalesce((SELECT n.attempts FROM outcomes n
                                   WHERE n.organization_no = $1 AND n.event_id = $2 AND n.endpoint_id = $3), 0),
                         coalesce((SELECT max(m.number) FROM attempts m
                                   WHERE m.organization_no = $1 AND m.event_id = $2 AND m.endpoint_id = $3), 0)) AS tries) t
        LEFT JOIN outcomes o ON o.organization_no = $1 AND o.event_id = $2 AND o.endpoint_id = $3
        LEFT JOIN attempts a ON a.organization_no = $1 AND a.event_id = $2 AND a.endpoint_id = $3 AND a.number = t.tries
        WHERE true
        ON CONFLICT (organization_no, endpoint_id, event_id) DO UPDATE
        SET owed = owed + 1, base = attempts, due_at = CASE WHEN claimed THEN due_at ELSE min(due_at, excluded.due_at) END
        """;

    private const string DropDeadLetter = """
        DELETE FROM outcomes WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3 AND status = 3
        """;

    /// <summary>Queues the deliveries, each at its time, of endpoints that are there.</summary>
    public static void Run(
        SqliteConnection connection, int organizationNo, IReadOnlyList<ScannedDelivery> deliveries, DateTimeOffset[] due,
        DateTimeOffset now)
    {
        using var keep = new SqliteStatement(connection, KeepLastTry);
        using var queue = new SqliteStatement(connection, Queue);
        using var drop = new SqliteStatement(connection, DropDeadLetter);
        for (var i = 0; i < deliveries.Count; i++)
        {
            var (eventId, endpointId, _) = deliveries[i];
            keep.Execute(organizationNo, eventId, endpointId);
            queue.Execute(organizationNo, eventId, endpointId, due[i], now);
            drop.Execute(organizationNo, eventId, endpointId);
        }
    }
}
