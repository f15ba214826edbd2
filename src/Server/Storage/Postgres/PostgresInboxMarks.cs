using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Up to where an organization's events are settled (docs/decisions/0019). A mark's row is the last lock that a transaction takes. An
/// advance holds none while it looks: it is written only if the mark has not been lowered since, which waits for a lowering under way.
/// </summary>
internal sealed class PostgresInboxMarks(PostgresDatabase database)
{
    /// <summary>The mark of organization <c>$1</c>, as an expression; zero where nothing is known.</summary>
    public const string SettledBefore = """
        coalesce((SELECT m.settled_before FROM inbox_marks m WHERE m.organization_no = $1), '00000000-0000-0000-0000-000000000000'::uuid)
        """;

    /// <summary>
    /// Removes the retries of the organization's (<c>$1</c>) endpoint (<c>$2</c>) and lowers the mark to the oldest of their events, which
    /// may be pending again. Without retries the mark is not touched.
    /// </summary>
    public const string DropRetries = """
        WITH dropped AS (
            DELETE FROM retries WHERE organization_no = $1 AND endpoint_id = $2 RETURNING organization_no, event_id
        )
        INSERT INTO inbox_marks AS m (organization_no, settled_before, lowered)
        SELECT DISTINCT d.organization_no, '00000000-0000-0000-0000-000000000000'::uuid, 1 FROM dropped d
        ON CONFLICT (organization_no) DO UPDATE
        SET settled_before = least(m.settled_before, (SELECT d.event_id FROM dropped d ORDER BY d.event_id LIMIT 1)), lowered = m.lowered + 1
        """;

    /// <summary>The row is made where it is missing, so that an advance which is about to make it meets it.</summary>
    private const string Lower = """
        INSERT INTO inbox_marks AS m (organization_no, settled_before, lowered)
        SELECT u.organization_no, '00000000-0000-0000-0000-000000000000'::uuid, 1 FROM unnest($1::integer[]) AS u (organization_no)
        ORDER BY u.organization_no
        ON CONFLICT (organization_no) DO UPDATE
        SET settled_before = least(m.settled_before, (SELECT f.id
                                                      FROM unnest($1::integer[], $2::uuid[]) AS f (organization_no, id)
                                                      WHERE f.organization_no = m.organization_no)),
            lowered = m.lowered + 1
        """;

    /// <summary>Not for an organization that has no events (any more).</summary>
    private const string Introduce = """
        INSERT INTO inbox_marks (organization_no, settled_before, lowered)
        SELECT $1, '00000000-0000-0000-0000-000000000000'::uuid, 0 WHERE EXISTS (SELECT 1 FROM events e WHERE e.organization_no = $1)
        ON CONFLICT DO NOTHING
        """;

    private const string Read = """
        SELECT m.settled_before, m.lowered FROM inbox_marks m WHERE m.organization_no = $1
        """;

    /// <summary>
    /// The first pending event among the next <c>$3</c> from <c>$2</c> on, or the one behind them, or, where there is none, the last. One
    /// statement: all are of one snapshot.
    /// </summary>
    private const string Scan = $"""
        SELECT f.id, n.id, l.id
        FROM (SELECT 1) one
        LEFT JOIN LATERAL (
            SELECT e.id
            FROM (SELECT s.organization_no, s.id FROM events s WHERE s.organization_no = $1 AND s.id >= $2 ORDER BY s.id LIMIT $3) e
            WHERE {StatusFilter.IsPending}
            ORDER BY e.id
            LIMIT 1
        ) f ON true
        LEFT JOIN LATERAL (
            SELECT s.id FROM events s WHERE f.id IS NULL AND s.organization_no = $1 AND s.id >= $2 ORDER BY s.id LIMIT 1 OFFSET $3
        ) n ON true
        LEFT JOIN LATERAL (
            SELECT s.id FROM events s WHERE f.id IS NULL AND n.id IS NULL AND s.organization_no = $1 AND s.id >= $2 ORDER BY s.id DESC LIMIT 1
        ) l ON true
        """;

    private const string Advance = """
        UPDATE inbox_marks SET settled_before = $4 WHERE organization_no = $1 AND settled_before = $2 AND lowered = $3
        """;

    /// <summary>Lowers marks to these ids, in the caller's batch; behind all else that it locks.</summary>
    public static void AddLowering(NpgsqlBatch batch, SortedDictionary<int, EventId> first)
    {
        if (first.Count == 0) return;
        batch.Add(Lower).With<int[]>([.. first.Keys]).With<Guid[]>([.. first.Values.Select(static id => id.ToGuid())]);
    }

    /// <summary>See <see cref="IEventStore.AdvanceInboxMarkAsync"/>.</summary>
    public Task<bool> AdvanceAsync(int organizationNo, int limit, CancellationToken cancellationToken) => database.RunAsync(
        async connection =>
        {
            if (await ReadAsync(connection, organizationNo, cancellationToken) is not (var mark, var lowered)) return false;
            var (pending, next, last) = (await connection.QueryAsync(
                Scan,
                parameters => parameters.With(organizationNo).With(mark).With((long)limit),
                row => (IdOrNull(row, 0), IdOrNull(row, 1), IdOrNull(row, 2)),
                cancellationToken))[0];
            if ((pending ?? next ?? last) is not { } settled || settled == mark) return false;
            var written = await connection.ExecuteAsync(
                Advance, parameters => parameters.With(organizationNo).With(mark).With(lowered).With(settled), cancellationToken);
            return next is not null && written > 0;
        },
        cancellationToken);

    /// <summary>The mark and how often it was lowered; null when there are no events, or another one has just made the row.</summary>
    private static async Task<(EventId Mark, long Lowered)?> ReadAsync(
        NpgsqlConnection connection, int organizationNo, CancellationToken cancellationToken)
    {
        var rows = await LookAsync();
        if (rows.Count == 0
            && await connection.ExecuteAsync(Introduce, parameters => parameters.With(organizationNo), cancellationToken) > 0)
            rows = await LookAsync();
        return rows.Count == 0 ? null : rows[0];

        Task<List<(EventId, long)>> LookAsync() => connection.QueryAsync(
            Read, parameters => parameters.With(organizationNo), row => (row.GetEventId(0), row.GetInt64(1)), cancellationToken);
    }

    private static EventId? IdOrNull(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetEventId(column);
}
