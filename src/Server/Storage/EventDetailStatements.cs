using System.Data.Common;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using Delivery = ZapierTriggers.Core.Storing.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// What happened to one event at each endpoint, in the SQL that both stores speak, and what its rows say: organization, event.
/// </summary>
internal static class EventDetailStatements
{
    /// <summary>One row per endpoint: the outcome if there is one (with when a replay is due), else the waiting retry.</summary>
    public const string Deliveries = """
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

    /// <summary>The tries before the last.</summary>
    public const string Attempts = """
        SELECT t.endpoint_id, t.number, t.at, t.response_status, t.latency_ms, t.error, t.response_body
        FROM attempts t
        WHERE t.organization_no = $1 AND t.event_id = $2
        ORDER BY t.endpoint_id, t.number
        """;

    /// <summary>Reads a row of <see cref="Attempts"/>.</summary>
    public static (Guid EndpointId, AttemptRecord Attempt) ReadAttempt(DbDataReader row) => (row.GetUuid(0), AttemptFrom(row, 1));

    /// <summary>Reads a row of <see cref="Deliveries"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="attempts">All of <see cref="Attempts"/>.</param>
    public static Delivery ReadDelivery(DbDataReader row, ILookup<Guid, AttemptRecord> attempts)
    {
        var endpointId = row.GetUuid(0);

        // An outcome without a latency was reached without a try.
        IEnumerable<AttemptRecord> last = row.IsDBNull(7) ? [] : [AttemptFrom(row, 4)];
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
    private static AttemptRecord AttemptFrom(DbDataReader row, int first) => new()
    {
        Number = row.GetInt32(first),
        At = row.GetTime(first + 1),
        ResponseStatus = row.GetIntOrNull(first + 2),
        LatencyMilliseconds = row.GetInt32(first + 3),
        Error = row.GetTextOrNull(first + 4),
        ResponseBody = row.GetTextOrNull(first + 5),
    };
}
