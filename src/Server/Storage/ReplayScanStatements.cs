using System.Data.Common;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// Which deliveries a job is about, counted and page by page, in the SQL that both stores speak. A page is cut before it is filtered, so
/// that each costs the same however few match. All take the organization ($1) and the filter: the least id that is meant ($2) and that is
/// meant no more ($3), endpoint ($4), type ($5), error ($6) and ids ($7); a page also the cursor ($8), its size ($9) and when the job was
/// made ($10).
/// </summary>
/// <param name="isChosen">The store's condition on a dead letter <c>o</c>: of the endpoint and the ids, where they are given.</param>
/// <param name="isSearched">And on it and its event <c>e</c>: of the type and with the error, where they are given.</param>
internal sealed class ReplayScanStatements(string isChosen, string isSearched)
{
    private const string InRange = """
        o.organization_no = $1 AND o.status = 3 AND o.event_id >= $2 AND o.event_id < $3
        """;

    /// <summary>Those of acknowledged events are done with.</summary>
    private const string IsOpen = """
        NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = o.event_id)
        AND EXISTS (SELECT 1 FROM endpoints p WHERE p.organization_no = $1 AND p.id = o.endpoint_id)
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

    /// <summary>All events that may be meant by a recovery; to be counted by <see cref="Read"/>.</summary>
    public const string Undelivered = $"""
        SELECT e.id, $4, {Kind}, e.type, e.ordering_key
        FROM events e
        WHERE e.organization_no = $1 AND e.id >= $2 AND e.id < $3 AND {Kind} > 0
        """;

    /// <summary>A page of events for a recovery.</summary>
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

    /// <summary>How many dead letters are meant.</summary>
    public string CountDeadLetters { get; } = $"""
        SELECT count(*)
        FROM outcomes o
        JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        WHERE {InRange} AND {isChosen} AND e.id IS NOT NULL AND {isSearched} AND {IsOpen}
        """;

    /// <summary>A page of dead letters.</summary>
    public string ScanDeadLetters { get; } = $"""
        SELECT o.event_id, o.endpoint_id,
               CASE WHEN o.at <= $10 AND e.id IS NOT NULL AND {isSearched} AND {IsOpen} THEN 1 ELSE 0 END,
               coalesce(e.type, ''), e.ordering_key
        FROM (
            SELECT o.organization_no, o.event_id, o.endpoint_id, o.error, o.at
            FROM outcomes o
            WHERE {InRange} AND {isChosen} AND o.event_id > $8
            ORDER BY o.event_id, o.endpoint_id
            LIMIT $9
        ) o
        LEFT JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        ORDER BY o.event_id, o.endpoint_id
        """;

    /// <summary>Reads a row of any of them but <see cref="CountDeadLetters"/>.</summary>
    public static ScannedDelivery Read(DbDataReader row, int organizationNo, WantsEvent wants)
    {
        var (id, endpointId, kind) = (row.GetEventId(0), row.GetUuid(1), (ScanKind)row.GetInt32(2));
        return new ScannedDelivery(
            id, endpointId, kind.IsMeant(() => wants(organizationNo, endpointId, id, row.GetString(3), row.GetTextOrNull(4))));
    }
}
