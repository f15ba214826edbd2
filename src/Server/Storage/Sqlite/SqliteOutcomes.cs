using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Finished tries. Each statement leaves alone what is recorded already, so the same batch may come twice.</summary>
internal sealed class SqliteOutcomes(SqliteDatabase database, TimeProvider time)
{
    /// <summary>An outcome without a try counts the tries before it.</summary>
    private const string Outcome = """
        INSERT INTO outcomes
            (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms, error, response_body)
        VALUES ($1, $2, $3, $4, $5,
                coalesce($6,
                         (SELECT max(t.number) FROM attempts t WHERE t.organization_no = $1 AND t.event_id = $2 AND t.endpoint_id = $3),
                         0),
                $7, $8, $9, $10)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Asked once for each endpoint of a batch: mostly none waits, and then nothing needs dropping.</summary>
    private const string AnyRetry = """
        SELECT EXISTS (SELECT 1 FROM retries WHERE organization_no = $1 AND endpoint_id = $2)
        """;

    private const string DropRetry = """
        DELETE FROM retries WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3
        """;

    private const string Attempt = """
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>A late copy of an earlier try does not undo a later claim; what is acknowledged or final gets no retry.</summary>
    private const string Retry = """
        INSERT INTO retries AS w (organization_no, event_id, endpoint_id, due_at, attempts, at, response_status, latency_ms, error)
        SELECT $1, $2, $3, $4, coalesce($5, 0), $6, $7, $8, $9
        WHERE NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = $2)
          AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = $2 AND o.endpoint_id = $3)
        ON CONFLICT (organization_no, endpoint_id, event_id) DO UPDATE
        SET due_at = excluded.due_at, attempts = max(w.attempts, excluded.attempts), at = excluded.at,
            response_status = excluded.response_status, latency_ms = excluded.latency_ms, error = excluded.error
        WHERE excluded.attempts = 0 OR w.attempts <= excluded.attempts
        """;

    private const string Cursor = """
        UPDATE lanes SET delivered_through = $3
        WHERE organization_no = $1 AND endpoint_id = $2 AND generation = $4 AND delivered_through < $3
        """;

    /// <summary>See <see cref="IDeliveryStore.RecordAsync"/>.</summary>
    public Task RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) =>
        batch.Results.Count + batch.Cursors.Count == 0 ? Task.CompletedTask : database.WriteAsync(
            connection =>
            {
                RecordFinal(connection, batch.Results.Where(result => result.Status != EventStatus.Failed));
                RecordFailed(connection, batch.Results.Where(result => result.Status == EventStatus.Failed));
                using var move = new SqliteStatement(connection, Cursor);
                foreach (var cursor in batch.Cursors)
                    move.Execute(cursor.OrganizationNo, cursor.EndpointId, cursor.DeliveredThrough, cursor.Generation);
                return true;
            },
            cancellationToken);

    private void RecordFinal(SqliteConnection connection, IEnumerable<DeliveryResult> results)
    {
        using var outcome = new SqliteStatement(connection, Outcome);
        using var any = new SqliteStatement(connection, AnyRetry);
        using var drop = new SqliteStatement(connection, DropRetry);
        var waiting = new Dictionary<(int, Guid), bool>();
        foreach (var result in results)
        {
            var attempt = result.Attempt;
            outcome.Execute(
                result.OrganizationNo,
                result.EventId,
                result.EndpointId,
                result.Status,
                attempt?.At ?? time.GetUtcNow(),
                attempt?.Number,
                attempt?.ResponseStatus,
                attempt?.LatencyMilliseconds,
                attempt?.Error ?? result.Reason,
                attempt?.ResponseBody);
            var lane = (result.OrganizationNo, result.EndpointId);
            if (!waiting.TryGetValue(lane, out var hasRetries))
                waiting[lane] = hasRetries = any.Query(row => row.GetBoolean(0), result.OrganizationNo, result.EndpointId)[0];
            if (hasRetries) drop.Execute(result.OrganizationNo, result.EventId, result.EndpointId);
        }
    }

    private void RecordFailed(SqliteConnection connection, IEnumerable<DeliveryResult> results)
    {
        using var insert = new SqliteStatement(connection, Attempt);
        using var retry = new SqliteStatement(connection, Retry);
        foreach (var result in results)
        {
            if (result.Attempt is { } attempt)
            {
                insert.Execute(
                    result.OrganizationNo,
                    result.EventId,
                    result.EndpointId,
                    attempt.Number,
                    attempt.At,
                    attempt.ResponseStatus,
                    attempt.LatencyMilliseconds,
                    attempt.Error,
                    attempt.ResponseBody);
            }

            retry.Execute(
                result.OrganizationNo,
                result.EventId,
                result.EndpointId,
                result.NextAttemptAt,
                result.Attempt?.Number,
                result.Attempt?.At ?? time.GetUtcNow(),
                result.Attempt?.ResponseStatus,
                result.Attempt?.LatencyMilliseconds,
                result.Attempt?.Error);
        }
    }
}
