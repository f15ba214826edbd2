using System.Text.Json.Nodes;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Which deliveries a job is about, counted and page by page. A page is cut before it is filtered, so that each costs the same however few
/// match. All take the values of <see cref="Values"/>; a page also the cursor ($8), its size ($9) and when the job was made ($10).
/// </summary>
internal static class SqliteReplayScans
{
    private const string InRange = """
        o.organization_no = $1 AND o.status = 3 AND o.event_id >= $2 AND o.event_id < $3
        AND ($4 IS NULL OR o.endpoint_id = $4) AND ($7 IS NULL OR hex(o.event_id) IN (SELECT j.value FROM json_each($7) j))
        """;

    /// <summary>Of a dead letter <c>o</c> with its event <c>e</c>: those of acknowledged events are done with.</summary>
    private const string Meant = """
        e.id IS NOT NULL AND ($5 IS NULL OR e.type = $5) AND ($6 IS NULL OR instr(lower(o.error), lower($6)) > 0)
        AND NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = o.event_id)
        AND EXISTS (SELECT 1 FROM endpoints p WHERE p.organization_no = $1 AND p.id = o.endpoint_id)
        """;

    public const string CountDeadLetters = $"""
        SELECT count(*)
        FROM outcomes o
        JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        WHERE {InRange} AND {Meant}
        """;

    public const string ScanDeadLetters = $"""
        SELECT o.event_id, o.endpoint_id, CASE WHEN o.at <= $10 AND {Meant} THEN 1 ELSE 0 END, coalesce(e.type, ''), e.ordering_key
        FROM (
            SELECT o.organization_no, o.event_id, o.endpoint_id, o.error, o.at
            FROM outcomes o
            WHERE {InRange} AND o.event_id > $8
            ORDER BY o.event_id, o.endpoint_id
            LIMIT $9
        ) o
        LEFT JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        ORDER BY o.event_id, o.endpoint_id
        """;

    /// <summary>
    /// What an event <c>e</c> is to a recovery (<see cref="ScanKind"/>): given up or waiting for a retry, or passed over by the lane; not
    /// what the lane still has before it, nor what is acknowledged or asked for already.
    /// </summary>
    private const string Kind = """
        CASE WHEN EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id) THEN 0
             WHEN EXISTS (SELECT 1 FROM outcomes o
                          WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $4 AND o.status = 3) THEN 1
             WHEN EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $4) THEN 0
             WHEN EXISTS (SELECT 1 FROM retries w
                          WHERE w.organization_no = $1 AND w.endpoint_id = $4 AND w.event_id = e.id AND w.owed = 0) THEN 1
             WHEN EXISTS (SELECT 1 FROM retries w WHERE w.organization_no = $1 AND w.endpoint_id = $4 AND w.event_id = e.id) THEN 0
             WHEN EXISTS (SELECT 1 FROM lanes l
                          WHERE l.organization_no = $1 AND l.endpoint_id = $4 AND l.delivered_through >= e.id) THEN 2
             ELSE 0 END
        """;

    public const string Undelivered = $"""
        SELECT e.id, $4, {Kind}, e.type, e.ordering_key
        FROM events e
        WHERE e.organization_no = $1 AND e.id >= $2 AND e.id < $3 AND {Kind} > 0
        """;

    public const string ScanEvents = $"""
        SELECT e.id, $4, {Kind}, e.type, e.ordering_key
        FROM (
            SELECT n.id, n.type, n.ordering_key
            FROM events n
            WHERE n.organization_no = $1 AND n.id >= $2 AND n.id < $3 AND n.id > $8
            ORDER BY n.id
            LIMIT $9
        ) e
        ORDER BY e.id
        """;

    /// <summary>The values of $1 to $7.</summary>
    public static object?[] Values(int organizationNo, ReplayFilter filter) =>
    [
        organizationNo, filter.From, filter.To, filter.EndpointId, filter.Type, filter.Error, filter.EventIds is { } ids ? Hex(ids) : null,
    ];

    private static string Hex(IReadOnlyList<EventId> ids)
    {
        var list = new JsonArray();
        foreach (var id in ids) list.Add((JsonNode?)Convert.ToHexString(id.ToByteArray()));
        return list.ToJsonString();
    }
}
