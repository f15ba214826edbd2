using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Up to where an organization's events are settled (docs/decisions/0019). An advance looks on a reading connection, so that it holds up no
/// commit, and is written only if the mark has not been lowered since.
/// </summary>
internal sealed class SqliteInboxMarks(SqliteDatabase database)
{
    private const string Read = """
        SELECT m.settled_before, m.lowered FROM inbox_marks m WHERE m.organization_no = $1
        """;

    /// <summary>The row is made where it is missing, so that an advance which is about to make it meets it.</summary>
    private const string LowerSql = """
        INSERT INTO inbox_marks (organization_no, settled_before, lowered)
        VALUES ($1, x'00000000000000000000000000000000', 1)
        ON CONFLICT (organization_no) DO UPDATE SET settled_before = min(settled_before, $2), lowered = lowered + 1
        """;

    private const string FirstRetry = """
        SELECT r.event_id FROM retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2 ORDER BY r.event_id LIMIT 1
        """;

    private const string FirstPending = $"""
        SELECT e.id
        FROM (SELECT s.organization_no, s.id FROM events s WHERE s.organization_no = $1 AND s.id >= $2 ORDER BY s.id LIMIT $3) e
        WHERE {StatusFilter.IsPending}
        ORDER BY e.id
        LIMIT 1
        """;

    private const string Next = """
        SELECT s.id FROM events s WHERE s.organization_no = $1 AND s.id >= $2 ORDER BY s.id LIMIT 1 OFFSET $3
        """;

    private const string Last = """
        SELECT s.id FROM events s WHERE s.organization_no = $1 AND s.id >= $2 ORDER BY s.id DESC LIMIT 1
        """;

    /// <summary>
    /// Makes the row if there was none (<c>$3</c> = 0 of a zero mark); not for an organization that has no events (any more).
    /// </summary>
    private const string AdvanceSql = """
        INSERT INTO inbox_marks (organization_no, settled_before, lowered)
        SELECT $1, $4, 0 WHERE EXISTS (SELECT 1 FROM events e WHERE e.organization_no = $1)
        ON CONFLICT (organization_no) DO UPDATE SET settled_before = excluded.settled_before WHERE settled_before = $2 AND lowered = $3
        """;

    /// <summary>Lowers marks to these ids, in the caller's transaction.</summary>
    public static void Lower(SqliteConnection connection, SortedDictionary<int, EventId> first)
    {
        foreach (var (organizationNo, id) in first) connection.Execute(LowerSql, organizationNo, id);
    }

    /// <summary>
    /// Before an endpoint's retries are removed: lowers the mark to the oldest of their events, which may be pending again. Without retries
    /// it is not touched.
    /// </summary>
    public static void LowerToRetries(SqliteConnection connection, int organizationNo, Guid endpointId)
    {
        var first = connection.Query(FirstRetry, row => row.GetEventId(0), organizationNo, endpointId);
        if (first.Count > 0) connection.Execute(LowerSql, organizationNo, first[0]);
    }

    /// <summary>The query, from the mark on if it is about pending events: below it there are none.</summary>
    public static InboxQuery Narrow(SqliteConnection connection, InboxQuery query)
    {
        if (query.Status != EventStatus.Pending) return query;
        var mark = Find(connection, query.OrganizationNo).Mark;
        return query.NotBefore > mark ? query : query with { NotBefore = mark };
    }

    /// <summary>See <see cref="IEventStore.AdvanceInboxMarkAsync"/>.</summary>
    public async Task<bool> AdvanceAsync(int organizationNo, int limit, CancellationToken cancellationToken)
    {
        var (mark, lowered, settled, hasMore) = await database.ReadAsync(
            connection => Scan(connection, organizationNo, limit), cancellationToken);
        if (settled == mark) return false;
        var written = await database.WriteAsync(
            connection => connection.Execute(AdvanceSql, organizationNo, mark, lowered, settled), cancellationToken);
        return hasMore && written > 0;
    }

    private static (EventId Mark, long Lowered, EventId Settled, bool HasMore) Scan(
        SqliteConnection connection, int organizationNo, int limit)
    {
        var (mark, lowered) = Find(connection, organizationNo);
        if (connection.Query(FirstPending, row => row.GetEventId(0), organizationNo, mark, limit) is [var pending, ..])
            return (mark, lowered, pending, false);
        if (connection.Query(Next, row => row.GetEventId(0), organizationNo, mark, limit) is [var next, ..])
            return (mark, lowered, next, true);
        return connection.Query(Last, row => row.GetEventId(0), organizationNo, mark) is [var last, ..]
            ? (mark, lowered, last, false)
            : (mark, lowered, mark, false);
    }

    private static (EventId Mark, long Lowered) Find(SqliteConnection connection, int organizationNo)
    {
        var rows = connection.Query(Read, row => (row.GetEventId(0), row.GetInt64(1)), organizationNo);
        return rows.Count == 0 ? default : rows[0];
    }
}
