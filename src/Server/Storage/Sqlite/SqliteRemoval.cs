using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Removes events with all that hangs on them, and counts in the ledger; in the caller's transaction, on the writing thread.
/// </summary>
internal static class SqliteRemoval
{
    private const string Find = """
        SELECT e.dedup_id, e.payload_hash FROM events e WHERE e.organization_no = $1 AND e.id = $2
        UNION ALL
        SELECT NULL, 0 FROM quarantine q WHERE q.organization_no = $1 AND q.id = $2
        LIMIT 1
        """;

    private const string Retries = """
        DELETE FROM retries WHERE organization_no = $1 AND event_id = $2
        """;

    private static readonly string[] Others =
    [
        "DELETE FROM events WHERE organization_no = $1 AND id = $2",
        "DELETE FROM quarantine WHERE organization_no = $1 AND id = $2",
        "DELETE FROM attempts WHERE organization_no = $1 AND event_id = $2",
        "DELETE FROM outcomes WHERE organization_no = $1 AND event_id = $2",
        "DELETE FROM acks WHERE organization_no = $1 AND event_id = $2",
    ];

    private const string CountSql = """
        INSERT INTO ledger_days (organization_no, day, kind, events)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (organization_no, day, kind) DO UPDATE SET events = events + excluded.events
        """;

    private const string KeepSql = """
        INSERT INTO erased_events (organization_no, id, dedup_hash, payload_hash, in_journal, erasure, chunk_end)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Removes those of the events that are there; returns which, and how many webhooks waited for a try of them.</summary>
    public static (IReadOnlyList<RemovedEvent> Events, int Webhooks) Run(
        SqliteConnection connection, int organizationNo, IReadOnlyList<EventId> ids)
    {
        var removed = new List<RemovedEvent>(ids.Count);
        using var find = new SqliteStatement(connection, Find);
        foreach (var id in ids)
            removed.AddRange(find.Query(row => new RemovedEvent(id, row.GetTextOrNull(0), row.GetInt64(1)), organizationNo, id));
        var webhooks = 0;
        using var retries = new SqliteStatement(connection, Retries);
        foreach (var id in ids) webhooks += retries.Execute(organizationNo, id);
        foreach (var sql in Others)
        {
            using var statement = new SqliteStatement(connection, sql);
            foreach (var id in ids) statement.Execute(organizationNo, id);
        }

        return (removed, webhooks);
    }

    /// <summary>Counts stored events in the ledger, and as the journal's usage.</summary>
    public static void CountAccepted(SqliteConnection connection, Guid journalId, ReadOnlySpan<JournaledEvent> events)
    {
        if (events.IsEmpty) return;
        var count = AcceptedCount.Of(events);
        Count(connection, count.ForLedger(), LedgerKind.Accepted);
        SqliteUsage.Add(connection, count.ForUsage(), journalId);
    }

    /// <summary>Counts removed events in the ledger.</summary>
    public static void CountRemoved(SqliteConnection connection, int organizationNo, IReadOnlyList<RemovedEvent> removed, LedgerKind kind)
    {
        var count = new LedgerCount();
        foreach (var one in removed) count.Add(organizationNo, one.Id);
        Count(connection, count.Take(), kind);
    }

    /// <summary>
    /// Keeps what must be kept of a chunk of erased events, after which its erasure is as <paramref name="moved"/>; dedup ids only of those
    /// accepted at or after <paramref name="hashesFrom"/>.
    /// </summary>
    public static void Keep(
        SqliteConnection connection, Erasure moved, IReadOnlyList<RemovedEvent> removed, EventId journalFrom, EventId hashesFrom)
    {
        var no = moved.OrganizationNo;
        using var keep = new SqliteStatement(connection, KeepSql);
        foreach (var one in removed)
        {
            keep.Execute(
                no, one.Id, one.HashOf(no, hashesFrom), one.Id >= hashesFrom ? one.PayloadHash : 0L, one.Id >= journalFrom,
                moved.Id, moved.Cursor);
        }
    }

    private static void Count(SqliteConnection connection, (int[] OrganizationNos, int[] Days, long[] Events) sums, LedgerKind kind)
    {
        if (sums.Days.Length == 0) return;
        using var statement = new SqliteStatement(connection, CountSql);
        for (var i = 0; i < sums.Days.Length; i++) statement.Execute(sums.OrganizationNos[i], sums.Days[i], kind, sums.Events[i]);
    }
}
