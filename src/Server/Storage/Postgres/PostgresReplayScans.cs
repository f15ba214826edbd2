using Npgsql;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Which deliveries a job is about, counted and page by page. A page is cut before it is filtered, so that each costs the same however few
/// match. All take the parameters of <see cref="Bind"/>; a page also the cursor ($8), its size ($9) and when the job was made ($10).
/// </summary>
internal static class PostgresReplayScans
{
    private const string InRange = """
        o.organization_no = $1 AND o.status = 3 AND o.event_id >= $2 AND o.event_id < $3
        AND ($4::uuid IS NULL OR o.endpoint_id = $4) AND ($7::uuid[] IS NULL OR o.event_id = ANY ($7))
        """;

    /// <summary>Of a dead letter <c>o</c> with its event <c>e</c>: those of acknowledged events are done with.</summary>
    private const string Meant = """
        e.id IS NOT NULL AND ($5::text IS NULL OR e.type = $5) AND ($6::text IS NULL OR position(lower($6) IN lower(o.error)) > 0)
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

    /// <summary>Binds $1 to $7.</summary>
    public static NpgsqlParameterCollection Bind(NpgsqlParameterCollection parameters, int organizationNo, ReplayFilter filter) => parameters
        .With(organizationNo).With(filter.From).With(filter.To).With(filter.EndpointId).With(filter.Type).With(filter.Error)
        .With(filter.EventIds?.Select(static id => id.ToGuid()).ToArray());
}
