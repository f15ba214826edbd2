using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using Delivery = ZapierTriggers.Core.Storing.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>One event with what happened at each endpoint.</summary>
internal sealed class PostgresEventDetail(PostgresDatabase database)
{
    /// <summary>One row per endpoint: the outcome if there is one (with when a replay is due), else the waiting retry.</summary>
    private const string Deliveries = """
        SELECT d.endpoint_id, p.url, d.status, d.due_at, d.attempts, d.at, d.response_status, d.latency_ms, d.error, d.response_body
        FROM (
            SELECT o.endpoint_id, o.status, w.due_at, o.attempts, o.at, o.response_status, o.latency_ms, o.error, o.response_body
            FROM outcomes o
            LEFT JOIN retries w ON w.organization_no = $1 AND w.endpoint_id = o.endpoint_id AND w.event_id = $2
            WHERE o.organization_no = $1 AND o.event_id = $2
            UNION ALL
            SELECT r.endpoint_id, 2, r.due_at, r.attempts, r.at, NULL, NULL, NULL, NULL
            FROM retries r
            WHERE r.organization_no = $1 AND r.event_id = $2
              AND NOT EXISTS (SELECT 1 FROM outcomes n WHERE n.organization_no = $1 AND n.event_id = $2 AND n.endpoint_id = r.endpoint_id)
        ) d
        LEFT JOIN endpoints p ON p.organization_no = $1 AND p.id = d.endpoint_id
        ORDER BY d.endpoint_id
        """;

    private const string Attempts = """
        SELECT t.endpoint_id, t.number, t.at, t.response_status, t.latency_ms, t.error, t.response_body
        FROM attempts t
        WHERE t.organization_no = $1 AND t.event_id = $2
        ORDER BY t.endpoint_id, t.number
        """;

    /// <summary>See <see cref="IEventStore.FindEventAsync"/>.</summary>
    public Task<EventDetail?> FindAsync(int organizationNo, EventId id, CancellationToken cancellationToken) =>
        database.RunAsync(
            async connection =>
            {
                var stored = await PostgresInbox.FindAsync(connection, organizationNo, id.ToGuid(), cancellationToken);
                return stored is null ? null : new EventDetail(
                    stored,
                    await ReadDeliveriesAsync(connection, organizationNo, id, cancellationToken));
            },
            cancellationToken);

    private static async Task<IReadOnlyList<Delivery>> ReadDeliveriesAsync(
        NpgsqlConnection connection,
        int organizationNo,
        EventId id,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (ReadOnlySpan<string>)[Attempts, Deliveries])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.With(organizationNo).With(id);
            batch.BatchCommands.Add(command);
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var attempts = (await reader.ReadAllAsync(row => (EndpointId: row.GetGuid(0), Attempt: ReadAttempt(row, 1)), cancellationToken))
            .ToLookup(row => row.EndpointId, row => row.Attempt);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAllAsync(row => ReadDelivery(row, attempts), cancellationToken);
    }

    private static Delivery ReadDelivery(NpgsqlDataReader row, ILookup<Guid, AttemptRecord> attempts)
    {
        var endpointId = row.GetGuid(0);

        // An outcome without a latency was reached without a try.
        IEnumerable<AttemptRecord> last = row.IsDBNull(7) ? [] : [ReadAttempt(row, 4)];
        return new Delivery
        {
            EndpointId = endpointId,
            Url = row.GetTextOrNull(1),
            Status = (EventStatus)row.GetInt32(2),
            NextAttemptAt = row.GetTimeOrNull(3),
            Attempts = [.. attempts[endpointId], .. last],
        };
    }

    /// <summary>Reads number, time, status, latency, error and body from six columns in this order.</summary>
    private static AttemptRecord ReadAttempt(NpgsqlDataReader row, int first) => new()
    {
        Number = row.GetInt32(first),
        At = row.GetTime(first + 1),
        ResponseStatus = row.GetIntOrNull(first + 2),
        LatencyMilliseconds = row.GetInt32(first + 3),
        Error = row.GetTextOrNull(first + 4),
        ResponseBody = row.GetTextOrNull(first + 5),
    };
}
