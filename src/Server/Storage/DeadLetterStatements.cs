using System.Data.Common;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on dead letters in the SQL that both stores speak, and what their rows say.</summary>
internal static class DeadLetterStatements
{
    /// <summary>
    /// A page of an organization's ($1) dead letters, the newest first: of events from an id ($2) on and before another ($3), so many of
    /// them ($9).
    /// </summary>
    /// <param name="isAsked">
    /// The store's condition, by what is given of endpoint ($4), type ($5), error ($6), and the event ($7) and endpoint ($8) that were the
    /// last seen, on the outcomes row <c>o</c> and the events row <c>e</c>.
    /// </param>
    public static string Page(string isAsked) => $"""
        SELECT o.event_id, o.endpoint_id, p.url, e.type, o.attempts, o.response_status, o.error, o.at
        FROM outcomes o
        JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        LEFT JOIN endpoints p ON p.organization_no = $1 AND p.id = o.endpoint_id
        WHERE o.organization_no = $1 AND o.status = 3
          AND o.event_id >= $2 AND o.event_id < $3
          AND {isAsked}
          AND NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = o.event_id)
        ORDER BY o.event_id DESC, o.endpoint_id DESC
        LIMIT $9
        """;

    /// <summary>Whether there is an event: organization, event.</summary>
    public const string Event = """
        SELECT 1 FROM events e WHERE e.organization_no = $1 AND e.id = $2
        """;

    /// <summary>Reads a row of <see cref="Page"/>.</summary>
    public static DeadLetter Read(DbDataReader row) => new()
    {
        EventId = row.GetEventId(0),
        EndpointId = row.GetUuid(1),
        Url = row.GetTextOrNull(2),
        Type = row.GetString(3),
        Attempts = row.GetInt32(4),
        ResponseStatus = row.GetIntOrNull(5),
        Error = row.GetTextOrNull(6),
        FailedAt = row.GetTime(7),
    };
}
