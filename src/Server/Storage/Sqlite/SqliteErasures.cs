using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Erasure in SQLite. What is deleted is overwritten with zeros (<c>secure_delete</c>), and so are copies of it elsewhere in the file and
/// in the log (see <see cref="SqlitePurge"/>).
/// </summary>
internal sealed class SqliteErasures(SqliteDatabase database, TimeProvider time) : IErasureStore
{
    private const string Scan = """
        SELECT e.id, e.payload
        FROM events e
        WHERE e.organization_no = $1 AND e.id > $2 AND e.id <= $3 AND ($4 IS NULL OR e.type = $4)
        ORDER BY e.id
        LIMIT $5
        """;

    private const string Present = """
        SELECT 1 FROM events e WHERE e.organization_no = $1 AND e.id = $2
        UNION ALL
        SELECT 1 FROM quarantine q WHERE q.organization_no = $1 AND q.id = $2
        """;

    private const string InJournal = """
        SELECT x.organization_no, x.id FROM erased_events x WHERE x.in_journal AND ($1 IS NULL OR x.organization_no = $1)
        """;

    private const string ClearInJournal = """
        UPDATE erased_events SET in_journal = 0 WHERE organization_no = $1 AND in_journal
        """;

    private const string ForgetSelection = """
        UPDATE erasures SET selection = '' WHERE organization_no = $1 AND id = $2 AND selection <> ''
        """;

    private readonly SqliteOrganizationErasure _organizations = new(database);
    private readonly SqlitePurge _purge = new(database);

    /// <inheritdoc/>
    public Task<bool> AddAsync(Erasure erasure, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(erasure.OrganizationNo, erasure.Id);
        return database.WriteAsync(
            connection =>
            {
                var isOrganization = erasure.Kind == ErasureKind.Organization;
                var added = connection.Execute(
                    ErasureStatements.Insert,
                    erasure.OrganizationNo,
                    erasure.Id,
                    erasure.Kind,
                    erasure.Selection,
                    erasure.IsDryRun,
                    erasure.Through,
                    erasure.Cursor,
                    erasure.RequestedAt,
                    isOrganization ? int.MaxValue : Erasure.MaxUnfinished);
                if (added == 0) return false;
                if (isOrganization) connection.Execute(ErasureStatements.EndKeys, erasure.OrganizationNo);
                SqliteLateErasures.Keep(connection, erasure);
                SqliteAudit.Insert(connection, entry);
                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Erasure?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(
            connection => connection.Query(ErasureStatements.Find, ErasureStatements.Read, organizationNo, id), cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Erasure>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(
            connection => connection.Query(ErasureStatements.Unfinished, ErasureStatements.Read), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ScannedEvent>> ScanAsync(
        int organizationNo, EventId after, EventId through, string? type, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<ScannedEvent>>(
            connection =>
            {
                using var statement = new SqliteStatement(connection, Scan);
                using var row = statement.Open(organizationNo, after, through, type, limit);
                var (events, bytes) = (new List<ScannedEvent>(), 0L);
                while (bytes < InboxPage.EndsAtBytes && row.Read())
                {
                    events.Add(new ScannedEvent(row.GetEventId(0), row.GetFieldValue<byte[]>(1)));
                    bytes += events[^1].Payload.Length;
                }

                return events;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<EventId>> FindPresentAsync(
        int organizationNo, IReadOnlyList<EventId> ids, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<EventId>>(
            connection =>
            {
                using var find = new SqliteStatement(connection, Present);
                return [.. ids.Where(id => find.Query(row => row.GetInt32(0), organizationNo, id).Count > 0)];
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ScannedEvent>> ReadQuarantineAsync(int organizationNo, CancellationToken cancellationToken) =>
        await database.ReadAsync(
            connection => connection.Query(
                ErasureStatements.SetAside, row => ErasureStatements.ReadSetAside(row, organizationNo), organizationNo),
            cancellationToken);

    /// <inheritdoc/>
    public Task<Erasure?> EraseAsync(
        Erasure known, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection =>
            {
                var isMoved = connection.Execute(
                    ErasureStatements.Move, known.OrganizationNo, known.Id, known.Cursor, moved.Cursor, moved.Matched) > 0;
                if (!isMoved) return null;
                return ids.Count == 0 ? moved : Remove(connection, moved, ids, journalFrom);
            },
            cancellationToken);

    /// <summary>
    /// What selected goes before the file is purged, so that one purge takes that, too; the erasure ends when that has ended.
    /// </summary>
    public async Task<bool> TryFinishAsync(Erasure finished, CancellationToken cancellationToken)
    {
        var settled = finished.IsDryRun ? finished : finished with { FinishedAt = null };
        await database.WriteAsync(connection => Settle(connection, settled), cancellationToken);
        if (finished.IsDryRun) return true;
        if (!await _purge.TryRunAsync(cancellationToken)) return false;
        var purged = finished with { FinishedAt = time.GetUtcNow() };
        await database.WriteAsync(connection => Settle(connection, purged), cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public Task<bool> TryPurgeAsync(CancellationToken cancellationToken) => _purge.TryRunAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlySet<(int OrganizationNo, EventId Id)>> ReadInJournalAsync(
        int? organizationNo, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(
            connection => connection.Query(InJournal, row => (row.GetInt32(0), row.GetEventId(1)), organizationNo), cancellationToken);
        return rows.ToHashSet();
    }

    /// <inheritdoc/>
    public Task ClearInJournalAsync(int organizationNo, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(ClearInJournal, organizationNo), cancellationToken);

    /// <inheritdoc/>
    public Task<(long Events, bool IsLast)> EraseOrganizationRowsAsync(
        int organizationNo, int limit, CancellationToken cancellationToken) =>
        _organizations.EraseRowsAsync(organizationNo, limit, cancellationToken);

    /// <inheritdoc/>
    public Task EndOrganizationAsync(int organizationNo, CancellationToken cancellationToken) =>
        _organizations.EndAsync(organizationNo, cancellationToken);

    /// <summary>
    /// It owes a purge when the selection goes, and not again: one that a reader was in the way of must not begin anew.
    /// </summary>
    private static int Settle(SqliteConnection connection, Erasure erasure)
    {
        if (connection.Execute(ForgetSelection, erasure.OrganizationNo, erasure.Id) > 0) SqlitePurge.Owe(connection);
        return connection.Execute(
            ErasureStatements.Finish, erasure.OrganizationNo, erasure.Id, erasure.IsJournalErased, erasure.FinishedAt);
    }

    private Erasure Remove(SqliteConnection connection, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom)
    {
        var no = moved.OrganizationNo;
        var (removed, _) = SqliteRemoval.Run(connection, no, ids);
        if (removed.Count > 0) SqlitePurge.Owe(connection);
        SqliteRemoval.CountRemoved(connection, no, removed, LedgerKind.Erased);
        var hashesFrom = EventId.LowerBound(time.GetUtcNow() - TimeSpan.FromMilliseconds(DedupWindow.LengthMs));
        SqliteRemoval.Keep(connection, moved, removed, journalFrom, hashesFrom);
        var result = moved.Add([.. removed.Select(one => one.Id)]);
        connection.Execute(ErasureStatements.Note, no, result.Id, result.Erased, ErasureColumns.Encode(result.Ids));
        Failpoint.Pass(Failpoint.ErasureRemoving);
        return result;
    }
}
