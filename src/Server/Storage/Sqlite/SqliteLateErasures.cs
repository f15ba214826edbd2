using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Events of a journal that were erased before they could be stored, in SQLite.</summary>
internal sealed class SqliteLateErasures(SqliteDatabase database, TimeProvider time)
{
    /// <summary>
    /// Of an organization that is gone its number is kept, past every id (<c>$2</c>); see <see cref="OrganizationTables.KeepNumber"/>.
    /// </summary>
    private const string Read = """
        SELECT j.id, j.kind, j.through, j.late
        FROM erasures j
        WHERE j.organization_no = $1 AND NOT j.dry_run AND (j.kind = 2 OR (j.late <> '' AND j.through >= $3))
        UNION ALL
        SELECT zeroblob(16), 2, t.expired_through, '' FROM expirations t WHERE t.organization_no = $1 AND t.expired_through = $2
        """;

    private const string Noted = """
        SELECT 1 FROM erased_events WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>Keeps what a new erasure means, in the transaction that keeps the erasure; on the writing thread.</summary>
    public static void Keep(SqliteConnection connection, Erasure erasure)
    {
        if (LateErasure.Write(erasure) is { Length: > 0 } late)
            connection.Execute(LateErasureStatements.Keep, erasure.OrganizationNo, erasure.Id, late);
    }

    /// <summary>See <see cref="IEventStore.FindErasedAsync"/>.</summary>
    public Task<IReadOnlyList<LateErased>> FindAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        if (events.IsEmpty) return Task.FromResult<IReadOnlyList<LateErased>>([]);
        var numbers = new HashSet<int>();
        foreach (ref readonly var item in events.Span) numbers.Add(item.OrganizationNo);
        var earliest = LateErasure.EarliestThrough(events.Span);
        return database.ReadAsync(
            connection =>
            {
                using var read = new SqliteStatement(connection, Read);
                var erasures = new List<LateErasure>();
                foreach (var no in numbers)
                    erasures.AddRange(read.Query(row => ReadErasure(row, no), no, new EventId(ulong.MaxValue, ulong.MaxValue), earliest));
                return LateErasure.Find(events, erasures);
            },
            cancellationToken);
    }

    /// <summary>See <see cref="IEventStore.NoteErasedAsync"/>.</summary>
    public Task NoteAsync(Guid journalId, IReadOnlyList<LateErased> erased, CancellationToken cancellationToken)
    {
        var counted = erased.Where(static one => !one.By.IsOrganization).ToList();
        return counted.Count == 0 ? Task.CompletedTask : database.WriteAsync(
            connection =>
            {
                foreach (var group in counted.GroupBy(static one => one.By))
                    Note(connection, journalId, group.Key, [.. group.Select(static one => one.Event)]);
                return true;
            },
            cancellationToken);
    }

    private void Note(SqliteConnection connection, Guid journalId, LateErasure by, JournaledEvent[] events)
    {
        var no = by.OrganizationNo;
        using var noted = new SqliteStatement(connection, Noted);
        JournaledEvent[] fresh = [.. events.Where(item => noted.Query(row => row.GetInt32(0), no, item.Id).Count == 0)];
        if (fresh.Length == 0) return;
        var removed = Array.ConvertAll(fresh, static item => RemovedEvent.Of(item));
        var hashesFrom = EventId.LowerBound(time.GetUtcNow() - TimeSpan.FromMilliseconds(DedupWindow.LengthMs));
        SqliteRemoval.Keep(connection, by.AsErasure(), removed, journalFrom: default, hashesFrom);
        SqliteRemoval.CountAccepted(connection, journalId, fresh);
        SqliteRemoval.CountRemoved(connection, no, removed, LedgerKind.Erased);
    }

    private static LateErasure ReadErasure(SqliteDataReader row, int organizationNo) =>
        (ErasureKind)row.GetInt32(1) == ErasureKind.Organization
            ? LateErasure.OfOrganization(organizationNo)
            : LateErasure.Read(organizationNo, row.GetUuid(0), row.GetEventId(2), row.GetString(3));
}
