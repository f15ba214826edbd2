using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// The ids of a page of one status, read from the rows that make the status instead of from the events: a page of three dead letters among
/// ten million events costs three rows. In the SQL that both stores speak: <c>$1</c> is the organization, <c>$2</c> how many ids, <c>$3</c>
/// how many to pass over. OFFSET 0 as in <see cref="StatusFilter"/>.
/// </summary>
internal static class StatusPages
{
    private const string OfRetry = """
        FROM retries d
        WHERE d.organization_no = $1
          AND NOT EXISTS (SELECT 1 FROM retries b
                          WHERE b.organization_no = $1 AND b.event_id = d.event_id AND b.endpoint_id < d.endpoint_id LIMIT 1 OFFSET 0)
        """;

    private const string OfDeadLetter = """
        FROM outcomes d
        WHERE d.organization_no = $1 AND d.status = 3
          AND NOT EXISTS (SELECT 1 FROM outcomes b
                          WHERE b.organization_no = $1 AND b.event_id = d.event_id AND b.status = 3 AND b.endpoint_id < d.endpoint_id LIMIT 1 OFFSET 0)
        """;

    private const string OfDelivery = """
        FROM outcomes d
        WHERE d.organization_no = $1 AND d.status = 1
          AND NOT EXISTS (SELECT 1 FROM outcomes b
                          WHERE b.organization_no = $1 AND b.event_id = d.event_id AND b.status = 1 AND b.endpoint_id < d.endpoint_id LIMIT 1 OFFSET 0)
        """;

    private const string OfAcknowledgement = """
        FROM acks d WHERE d.organization_no = $1
        """;

    private const string IsStored = """
        AND EXISTS (SELECT 1 FROM events e WHERE e.organization_no = $1 AND e.id = d.event_id LIMIT 1 OFFSET 0)
        """;

    private const string IsNotAcknowledged = """
        AND NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = d.event_id LIMIT 1 OFFSET 0)
        """;

    private const string IsNotDelivered = """
        AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = d.event_id AND o.status = 1 LIMIT 1 OFFSET 0)
        """;

    private const string IsNotRetried = """
        AND NOT EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = $1 AND r.event_id = d.event_id LIMIT 1 OFFSET 0)
        """;

    /// <summary>The column that a page's range is about.</summary>
    public const string IdColumn = "d.event_id";

    /// <summary>
    /// Whether the query's page is read this way: not where most events may match, nor where a type narrows it better.
    /// </summary>
    public static bool Covers(InboxQuery query) =>
        query.Type is null && query.Status is EventStatus.Delivered or EventStatus.Failed or EventStatus.DeadLetter;

    /// <summary>The statement; its only column is the id.</summary>
    /// <param name="query">A query that <see cref="Covers"/>.</param>
    /// <param name="range">Conditions on <see cref="IdColumn"/>; each begins with AND.</param>
    public static string Ids(InboxQuery query, string range)
    {
        var order = query.Ascending ? "ASC" : "DESC";
        return query.Status switch
        {
            EventStatus.Failed => $"{Part($"{OfRetry} {IsNotAcknowledged} {IsNotDelivered}", range, order)} LIMIT $2 OFFSET $3",
            EventStatus.DeadLetter =>
                $"{Part($"{OfDeadLetter} {IsNotAcknowledged} {IsNotDelivered} {IsNotRetried}", range, order)} LIMIT $2 OFFSET $3",
            _ => $"""
                SELECT u.id
                FROM (
                    SELECT a.id FROM ({Part(OfAcknowledgement, range, order)} LIMIT $2 + $3) a
                    UNION ALL
                    SELECT o.id FROM ({Part($"{OfDelivery} {IsNotAcknowledged}", range, order)} LIMIT $2 + $3) o
                ) u
                ORDER BY u.id {order}
                LIMIT $2 OFFSET $3
                """,
        };
    }

    private static string Part(string rows, string range, string order) =>
        $"SELECT d.event_id AS id {rows} {range} {IsStored} ORDER BY d.event_id {order}";
}
