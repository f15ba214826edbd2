using System.Globalization;
using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Pages of an inbox by keyset on the primary key (the daily partitions are ordered, so the planner reads them one after the other and
/// stops at the limit), and single events. The page is cut, by number and by bytes, before anything is joined to it or sent.
/// </summary>
internal sealed class PostgresInbox(PostgresDatabase database)
{
    /// <summary>
    /// Columns of an event with what happened to it; <c>p</c> is the page. Read by <see cref="ReadEvent"/>. A replay of what was delivered
    /// counts the tries of that delivery, too.
    /// </summary>
    private const string Summary = """
        SELECT p.id, p.type, p.payload, p.dedup_id, p.ordering_key,
               a.at,
               coalesce(t.delivered, false), coalesce(t.retrying, false), coalesce(t.dead, false),
               coalesce(t.attempts, 0)::integer, t.response_status, t.error,
               greatest(a.at, t.changed_at), p.scanned, p.traceparent
        FROM page p
        LEFT JOIN LATERAL (SELECT x.at FROM acks x WHERE x.organization_no = $1 AND x.event_id = p.id OFFSET 0) a ON true
        LEFT JOIN LATERAL (
            SELECT bool_or(u.status = 1)                                AS delivered,
                   bool_or(u.status = 2)                                AS retrying,
                   bool_or(u.status = 3)                                AS dead,
                   sum(u.attempts)                                      AS attempts,
                   (array_agg(u.response_status ORDER BY u.at DESC))[1] AS response_status,
                   (array_agg(u.error ORDER BY u.at DESC))[1]           AS error,
                   max(u.at + coalesce(u.latency_ms, 0) * interval '1 millisecond') AS changed_at
            FROM (
                SELECT o.status, o.attempts, o.at, o.response_status, o.error, o.latency_ms
                FROM outcomes o
                WHERE o.organization_no = $1 AND o.event_id = p.id
                UNION ALL
                SELECT 2, r.attempts - coalesce(d.attempts, 0), r.at, r.response_status, r.error, r.latency_ms
                FROM retries r
                LEFT JOIN outcomes d ON d.organization_no = $1 AND d.event_id = p.id AND d.endpoint_id = r.endpoint_id
                WHERE r.organization_no = $1 AND r.event_id = p.id
            ) u
        ) t ON true
        """;

    private const string One = $"""
        WITH page AS (
            SELECT e.id, e.type, e.payload, e.dedup_id, e.ordering_key, e.traceparent, 1::bigint AS scanned
            FROM events e
            WHERE e.organization_no = $1 AND e.id = $2
        )
        {Summary}
        """;

    /// <summary>See <see cref="IEventStore.ReadInboxAsync"/>.</summary>
    public Task<InboxPage> ReadAsync(InboxQuery query, CancellationToken cancellationToken)
    {
        // Postgres text cannot hold U+0000, so nothing has such a type.
        if (query.Type?.Contains('\0', StringComparison.Ordinal) == true)
            return Task.FromResult(new InboxPage([], HasMore: false, query.IncludeTotal ? 0 : null));

        return database.RunAsync(
            async connection =>
            {
                var (events, hasMore) = await ReadPageAsync(connection, query, cancellationToken);
                return new InboxPage(events, hasMore, query.IncludeTotal ? await CountAsync(connection, query, cancellationToken) : null);
            },
            cancellationToken);
    }

    /// <summary>One event with its status, or null.</summary>
    public static async Task<StoredEvent?> FindAsync(
        NpgsqlConnection connection,
        int organizationNo,
        Guid id,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(One, connection);
        command.Parameters.With(organizationNo).With(id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? ReadEvent(reader) : null;
    }

    /// <summary>
    /// Scans one event more than asked for, to know whether more follow. Sizes are known without reading the payloads, so those that the
    /// page has no bytes for stay where they are.
    /// </summary>
    private static async Task<(List<StoredEvent> Events, bool HasMore)> ReadPageAsync(
        NpgsqlConnection connection,
        InboxQuery query,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var parameters = command.Parameters.With(query.OrganizationNo).With(query.Limit + 1L).With(query.Offset)
            .With((long)InboxPage.EndsAtBytes);
        var order = query.Ascending ? "ASC" : "DESC";
        command.CommandText = $"""
            WITH page AS (
                SELECT m.*
                FROM (
                    SELECT s.*, octet_length(s.payload) AS size,
                           sum(octet_length(s.payload)) OVER (ORDER BY s.id {order}) AS running,
                           row_number() OVER (ORDER BY s.id {order}) AS place,
                           count(*) OVER () AS scanned
                    FROM ({Scan(query, parameters, order)}) s
                ) m
                WHERE m.place < $2 AND m.running - m.size < $4
            )
            {Summary}
            ORDER BY p.id {order}
            """;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var events = new List<StoredEvent>();
        var scanned = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            events.Add(ReadEvent(reader));
            scanned = reader.GetInt64(13);
        }

        return (events, scanned > events.Count);
    }

    /// <summary>The events of a page and one more, by filters on the events or from the rows that make their status.</summary>
    private static string Scan(InboxQuery query, NpgsqlParameterCollection parameters, string order)
    {
        if (!StatusPages.Covers(query))
        {
            return $"""
                SELECT e.id, e.type, e.payload, e.dedup_id, e.ordering_key, e.traceparent
                FROM events e
                WHERE e.organization_no = $1 {Status(query.Status)} {Conditions(query, parameters, "e.id")} {Behind(query, parameters, "e.id")}
                ORDER BY e.id {order}
                LIMIT $2 OFFSET $3
                """;
        }

        var range = $"{Conditions(query, parameters, StatusPages.IdColumn)} {Behind(query, parameters, StatusPages.IdColumn)}";

        // OFFSET 0 keeps the planner from making a join of it that reads the events first.
        return $"""
            SELECT f.*
            FROM ({StatusPages.Ids(query, range)}) k
            CROSS JOIN LATERAL (
                SELECT e.id, e.type, e.payload, e.dedup_id, e.ordering_key, e.traceparent FROM events e WHERE e.organization_no = $1 AND e.id = k.id OFFSET 0
            ) f
            """;
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, InboxQuery query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var conditions = Conditions(query, command.Parameters.With(query.OrganizationNo), "e.id");
        command.CommandText = $"""
            SELECT count(*) FROM events e WHERE e.organization_no = $1 {Status(query.Status)} {conditions}
            """;
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Below the mark nothing is pending; read in the same snapshot as the events.</summary>
    private static string Status(EventStatus? status) => status == EventStatus.Pending
        ? $"AND e.id >= {PostgresInboxMarks.SettledBefore} {StatusFilter.Sql(status)}"
        : StatusFilter.Sql(status);

    private static string Behind(InboxQuery query, NpgsqlParameterCollection parameters, string id)
    {
        if (query.Cursor is not { } cursor) return "";
        parameters.With(cursor);
        return string.Create(CultureInfo.InvariantCulture, $"AND {id} {(query.Ascending ? ">" : "<")} ${parameters.Count}");
    }

    private static string Conditions(InboxQuery query, NpgsqlParameterCollection parameters, string id)
    {
        var conditions = "";
        if (query.Type is not null)
        {
            parameters.With(query.Type);
            conditions += string.Create(CultureInfo.InvariantCulture, $"\n    AND e.type = ${parameters.Count}");
        }

        if (query.NotBefore is { } first)
        {
            parameters.With(first);
            conditions += string.Create(CultureInfo.InvariantCulture, $"\n    AND {id} >= ${parameters.Count}");
        }

        if (query.Before is { } end)
        {
            parameters.With(end);
            conditions += string.Create(CultureInfo.InvariantCulture, $"\n    AND {id} < ${parameters.Count}");
        }

        return conditions;
    }

    private static StoredEvent ReadEvent(NpgsqlDataReader row)
    {
        var id = row.GetEventId(0);
        var acknowledgedAt = row.GetTimeOrNull(5);
        return new StoredEvent
        {
            Id = id,
            Type = row.GetString(1),
            Payload = row.GetFieldValue<byte[]>(2),
            DedupId = row.GetTextOrNull(3),
            OrderingKey = row.GetTextOrNull(4),
            TraceParent = row.GetTraceParent(14),
            AcknowledgedAt = acknowledgedAt,
            Status = StatusFilter.Of(acknowledgedAt is not null, row.GetBoolean(6), row.GetBoolean(7), row.GetBoolean(8)),
            Attempts = row.GetInt32(9),
            ResponseStatus = row.GetIntOrNull(10),
            LastError = row.GetTextOrNull(11),
            UpdatedAt = row.GetTimeOrNull(12) ?? id.AcceptedAt,
        };
    }
}
