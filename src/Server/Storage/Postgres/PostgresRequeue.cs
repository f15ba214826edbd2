using Npgsql;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Sending again by hand: one more send is owed for each delivery, a dead letter's outcome makes room for its next round. Runs in the
/// caller's transaction, behind <see cref="LockLanesAsync"/>.
/// </summary>
internal static class PostgresRequeue
{
    private const string Keys = "unnest($2::uuid[], $3::uuid[])";

    private const string LockLanes = """
        SELECT 1
        FROM lanes l
        WHERE l.organization_no = $1 AND ($2::uuid IS NULL OR l.endpoint_id = $2)
        ORDER BY l.endpoint_id
        FOR NO KEY UPDATE
        """;

    /// <summary>An outcome without a try (a blocked address) has none to keep.</summary>
    private const string KeepLastTries = $"""
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        SELECT o.organization_no, o.event_id, o.endpoint_id, o.attempts, o.at, o.response_status, o.latency_ms, o.error, o.response_body
        FROM outcomes o
        JOIN {Keys} AS k (event_id, endpoint_id) ON o.event_id = k.event_id AND o.endpoint_id = k.endpoint_id
        WHERE o.organization_no = $1 AND o.status = 3 AND o.latency_ms IS NOT NULL
        ON CONFLICT DO NOTHING
        """;

    /// <summary>
    /// A try under way is not one that was asked for here: it is waited for. Else it is due at once, or when it was due before.
    /// </summary>
    private const string Queue = $"""
        INSERT INTO retries AS w
            (organization_no, endpoint_id, event_id, due_at, attempts, base, owed, at, response_status, latency_ms, error)
        SELECT $1, k.endpoint_id, k.event_id, k.due_at, t.tries, t.tries, 1, coalesce(o.at, a.at, $5),
               CASE WHEN o.event_id IS NULL THEN a.response_status ELSE o.response_status END,
               CASE WHEN o.event_id IS NULL THEN a.latency_ms ELSE o.latency_ms END,
               CASE WHEN o.event_id IS NULL THEN a.error ELSE o.error END
        FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS k (event_id, endpoint_id, due_at)
        LEFT JOIN outcomes o ON o.organization_no = $1 AND o.event_id = k.event_id AND o.endpoint_id = k.endpoint_id
        LEFT JOIN LATERAL (
            SELECT n.number, n.at, n.response_status, n.latency_ms, n.error
            FROM attempts n
            WHERE n.organization_no = $1 AND n.event_id = k.event_id AND n.endpoint_id = k.endpoint_id
            ORDER BY n.number DESC
            LIMIT 1
        ) a ON true
        CROSS JOIN LATERAL (SELECT greatest(coalesce(o.attempts, 0), coalesce(a.number, 0)) AS tries) t
        ORDER BY k.event_id, k.endpoint_id
        ON CONFLICT (organization_no, endpoint_id, event_id) DO UPDATE
        SET owed = w.owed + 1, base = w.attempts, due_at = CASE WHEN w.claimed THEN w.due_at ELSE least(w.due_at, excluded.due_at) END
        """;

    private const string DropDeadLetters = $"""
        DELETE FROM outcomes o
        USING {Keys} AS k (event_id, endpoint_id)
        WHERE o.organization_no = $1 AND o.event_id = k.event_id AND o.endpoint_id = k.endpoint_id AND o.status = 3
        """;

    /// <summary>Locks one lane or all of the organization: no result of them is recorded until the transaction ends.</summary>
    public static async Task LockLanesAsync(
        NpgsqlConnection connection, int organizationNo, Guid? endpointId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LockLanes, connection);
        command.Parameters.With(organizationNo).With(endpointId);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Queues the deliveries, each at its time, of endpoints that are there.</summary>
    public static async Task RunAsync(
        NpgsqlConnection connection,
        int organizationNo,
        IReadOnlyList<ScannedDelivery> deliveries,
        DateTimeOffset[] due,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        if (deliveries.Count == 0) return;
        var events = deliveries.Select(static one => one.EventId.ToGuid()).ToArray();
        var endpoints = deliveries.Select(static one => one.EndpointId).ToArray();
        await using var commands = new NpgsqlBatch(connection);
        Add(KeepLastTries);
        Add(Queue).With(Array.ConvertAll(due, static time => time.ToUniversalTime())).With(now.ToUniversalTime());
        Add(DropDeadLetters);
        await commands.ExecuteNonQueryAsync(cancellationToken);

        NpgsqlParameterCollection Add(string sql)
        {
            var command = new NpgsqlBatchCommand(sql);
            commands.BatchCommands.Add(command);
            return command.Parameters.With(organizationNo).With(events).With(endpoints);
        }
    }
}
