using System.Globalization;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Pages of an inbox by keyset on the primary key. What happened to each event is looked up row by row: inside the process that is no round
/// trip.
/// </summary>
internal sealed class SqliteInbox(SqliteDatabase database)
{
    private const string Columns = """
        e.id, e.type, e.payload, e.dedup_id, e.ordering_key,
        (SELECT a.at FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id),
        e.traceparent
        """;

    private const string One = $"""
        SELECT {Columns} FROM events e WHERE e.organization_no = $1 AND e.id = $2
        """;

    /// <summary>See <see cref="IEventStore.ReadInboxAsync"/>.</summary>
    public Task<InboxPage> ReadAsync(InboxQuery query, CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection =>
            {
                var narrowed = SqliteInboxMarks.Narrow(connection, query);
                var (events, hasMore) = ReadPage(connection, WithOneLowerBound(narrowed));
                return new InboxPage(events, hasMore, query.IncludeTotal ? Count(connection, narrowed) : null);
            },
            cancellationToken);

    /// <summary>One event with its status, or null.</summary>
    public static StoredEvent? Find(SqliteConnection connection, int organizationNo, EventId id)
    {
        using var tries = new SqliteTries(connection);
        var found = connection.Query(One, row => ReadEvent(row, tries, organizationNo), organizationNo, id);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>SQLite looks up one lower bound and compares others row by row, so only the higher one is left.</summary>
    private static InboxQuery WithOneLowerBound(InboxQuery query)
    {
        if (!query.Ascending || query.NotBefore is not { } first || query.Cursor is not { } cursor) return query;
        return cursor >= first ? query with { NotBefore = null } : query with { Cursor = null };
    }

    /// <summary>Steps to one row more than it takes, to know whether more follow; that row's payload is never fetched.</summary>
    private static (List<StoredEvent> Events, bool HasMore) ReadPage(SqliteConnection connection, InboxQuery query)
    {
        if (StatusPages.Covers(query)) return ReadStatusPage(connection, query);
        List<object?> values = [query.OrganizationNo, query.Limit + 1, query.Offset];
        var sql = $"""
            SELECT {Columns}
            FROM events e
            WHERE e.organization_no = $1 {StatusFilter.Sql(query.Status)} {Conditions(query, values, "e.id", query.Cursor)}
            ORDER BY e.id {(query.Ascending ? "ASC" : "DESC")}
            LIMIT $2 OFFSET $3
            """;
        using var tries = new SqliteTries(connection);
        using var statement = new SqliteStatement(connection, sql);
        using var row = statement.Open([.. values]);
        var events = new List<StoredEvent>();
        var bytes = 0L;
        while (row.Read())
        {
            if (events.Count == query.Limit || bytes >= InboxPage.EndsAtBytes) return (events, true);
            events.Add(ReadEvent(row, tries, query.OrganizationNo));
            bytes += events[^1].Payload.Length;
        }

        return (events, false);
    }

    /// <summary>The ids first, then one event after the other, so that no payload is fetched that the page has no bytes for.</summary>
    private static (List<StoredEvent> Events, bool HasMore) ReadStatusPage(SqliteConnection connection, InboxQuery query)
    {
        List<object?> values = [query.OrganizationNo, query.Limit + 1, query.Offset];
        var sql = StatusPages.Ids(query, Conditions(query, values, StatusPages.IdColumn, query.Cursor));
        var ids = connection.Query(sql, row => row.GetEventId(0), [.. values]);
        using var tries = new SqliteTries(connection);
        using var one = new SqliteStatement(connection, One);
        var events = new List<StoredEvent>();
        var bytes = 0L;
        foreach (var id in ids)
        {
            if (events.Count == query.Limit || bytes >= InboxPage.EndsAtBytes) return (events, true);
            events.AddRange(one.Query(row => ReadEvent(row, tries, query.OrganizationNo), query.OrganizationNo, id));
            bytes += events[^1].Payload.Length;
        }

        return (events, false);
    }

    private static long Count(SqliteConnection connection, InboxQuery query)
    {
        List<object?> values = [query.OrganizationNo];
        var sql = $"""
            SELECT count(*) FROM events e
            WHERE e.organization_no = $1 {StatusFilter.Sql(query.Status)} {Conditions(query, values, "e.id", cursor: null)}
            """;
        return connection.Query(sql, row => row.GetInt64(0), [.. values])[0];
    }

    private static string Conditions(InboxQuery query, List<object?> values, string id, EventId? cursor)
    {
        var conditions = "";
        foreach (var (value, comparison) in (ReadOnlySpan<(object?, string)>)
            [(query.Type, "e.type ="), (query.NotBefore, $"{id} >="), (query.Before, $"{id} <"), (cursor, query.Ascending ? $"{id} >" : $"{id} <")])
        {
            if (value is null) continue;
            values.Add(value);
            conditions += string.Create(CultureInfo.InvariantCulture, $"\n    AND {comparison} ${values.Count}");
        }

        return conditions;
    }

    private static StoredEvent ReadEvent(SqliteDataReader row, SqliteTries tries, int organizationNo)
    {
        var id = row.GetEventId(0);
        var acknowledgedAt = row.GetTimeOrNull(5);
        var summary = tries.Summarize(organizationNo, id);
        var changedAt = acknowledgedAt > summary.ChangedAt || summary.ChangedAt is null ? acknowledgedAt : summary.ChangedAt;
        return new StoredEvent
        {
            Id = id,
            Type = row.GetString(1),
            Payload = row.GetFieldValue<byte[]>(2),
            DedupId = row.GetTextOrNull(3),
            OrderingKey = row.GetTextOrNull(4),
            TraceParent = row.GetTraceParent(6),
            AcknowledgedAt = acknowledgedAt,
            Status = StatusFilter.Of(acknowledgedAt is not null, summary.Delivered, summary.Retrying, summary.Dead),
            Attempts = summary.Attempts,
            ResponseStatus = summary.ResponseStatus,
            LastError = summary.Error,
            UpdatedAt = changedAt ?? id.AcceptedAt,
        };
    }
}
