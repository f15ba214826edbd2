using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Erasure in Postgres.</summary>
internal sealed class PostgresErasures(PostgresDatabase database, TimeProvider time) : IErasureStore
{
    /// <summary>The page is cut before its payloads are sent.</summary>
    private const string Scan = """
        SELECT m.id, m.payload
        FROM (SELECT s.id, s.payload, sum(octet_length(s.payload)) OVER (ORDER BY s.id) - octet_length(s.payload) AS before
              FROM (SELECT e.id, e.payload
                    FROM events e
                    WHERE e.organization_no = $1 AND e.id > $2 AND e.id <= $3 AND ($4::text IS NULL OR e.type = $4)
                    ORDER BY e.id
                    LIMIT $5) s) m
        WHERE m.before < $6
        ORDER BY m.id
        """;

    private const string Present = $"""
        SELECT e.id FROM {PostgresKeys.FoundEvents}
        UNION
        SELECT q.id FROM quarantine q WHERE q.organization_no = $1 AND q.id = ANY ($2)
        """;

    /// <summary>For servers that may hold some of what was erased in memory.</summary>
    private const string Tell = """
        NOTIFY zapier_triggers_erasures
        """;

    private const string InJournal = """
        SELECT x.organization_no, x.id FROM erased_events x WHERE x.in_journal AND ($1::integer IS NULL OR x.organization_no = $1)
        """;

    private const string ClearInJournal = """
        UPDATE erased_events SET in_journal = false WHERE organization_no = $1 AND in_journal
        """;

    private readonly PostgresOrganizationErasure _organizations = new(database);

    /// <inheritdoc/>
    public Task<bool> AddAsync(Erasure erasure, CancellationToken cancellationToken) => database.RunInTransactionAsync(
        async connection =>
        {
            var added = await connection.ExecuteAsync(
                ErasureStatements.Insert,
                parameters => parameters.With(erasure.OrganizationNo).With(erasure.Id).With((short)erasure.Kind).With(erasure.Selection)
                    .With(erasure.IsDryRun).With(erasure.Through).With(erasure.Cursor).With(erasure.RequestedAt.ToUniversalTime())
                    .With(erasure.Kind == ErasureKind.Organization ? int.MaxValue : (long)Erasure.MaxUnfinished),
                cancellationToken);
            if (added == 0) return false;
            await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(erasure.OrganizationNo, erasure.Id), cancellationToken);
            await PostgresLateErasures.KeepAsync(connection, erasure, cancellationToken);
            if (erasure.Kind != ErasureKind.Organization) return true;
            await connection.ExecuteAsync(
                ErasureStatements.EndKeys, parameters => parameters.With(erasure.OrganizationNo), cancellationToken);
            await connection.ExecuteAsync(Tell, static _ => { }, cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<Erasure?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            ErasureStatements.Find, parameters => parameters.With(organizationNo).With(id), ErasureStatements.Read, cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Erasure>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(ErasureStatements.Unfinished, _ => { }, ErasureStatements.Read, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ScannedEvent>> ScanAsync(
        int organizationNo, EventId after, EventId through, string? type, int limit, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Scan,
            parameters =>
                parameters.With(organizationNo).With(after).With(through).With(type).With(limit).With((long)InboxPage.EndsAtBytes),
            row => new ScannedEvent(row.GetEventId(0), row.GetFieldValue<byte[]>(1)),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EventId>> FindPresentAsync(
        int organizationNo, IReadOnlyList<EventId> ids, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Present,
            parameters => parameters.With(organizationNo).With(ids.Select(id => id.ToGuid()).ToArray()),
            row => row.GetEventId(0),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ScannedEvent>> ReadQuarantineAsync(int organizationNo, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            ErasureStatements.SetAside,
            parameters => parameters.With(organizationNo),
            row => ErasureStatements.ReadSetAside(row, organizationNo),
            cancellationToken);

    /// <inheritdoc/>
    public Task<Erasure?> EraseAsync(
        Erasure known, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                var isMoved = await connection.ExecuteAsync(
                    ErasureStatements.Move,
                    p => p.With(known.OrganizationNo).With(known.Id).With(known.Cursor).With(moved.Cursor).With(moved.Matched),
                    cancellationToken) > 0;
                if (!isMoved) return null;
                return ids.Count == 0 ? moved : await RemoveAsync(connection, moved, ids, journalFrom, cancellationToken);
            },
            cancellationToken);

    /// <summary>What PostgreSQL keeps is its operator's: docs/operations.md.</summary>
    public Task<bool> TryPurgeAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    /// <inheritdoc/>
    public async Task<bool> TryFinishAsync(Erasure finished, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync(
            ErasureStatements.Finish,
            parameters => parameters.With(finished.OrganizationNo).With(finished.Id).With(finished.IsJournalErased)
                .With(finished.FinishedAt?.ToUniversalTime()),
            cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<(int OrganizationNo, EventId Id)>> ReadInJournalAsync(
        int? organizationNo, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            InJournal, parameters => parameters.With(organizationNo), row => (row.GetInt32(0), row.GetEventId(1)), cancellationToken);
        return rows.ToHashSet();
    }

    /// <inheritdoc/>
    public Task ClearInJournalAsync(int organizationNo, CancellationToken cancellationToken) =>
        database.ExecuteAsync(ClearInJournal, parameters => parameters.With(organizationNo), cancellationToken);

    /// <inheritdoc/>
    public Task<(long Events, bool IsLast)> EraseOrganizationRowsAsync(
        int organizationNo, int limit, CancellationToken cancellationToken) =>
        _organizations.EraseRowsAsync(organizationNo, limit, cancellationToken);

    /// <inheritdoc/>
    public Task EndOrganizationAsync(int organizationNo, CancellationToken cancellationToken) =>
        _organizations.EndAsync(organizationNo, cancellationToken);

    private async Task<Erasure?> RemoveAsync(
        NpgsqlConnection connection, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken)
    {
        var no = moved.OrganizationNo;
        var (removed, _) = await PostgresRemoval.RunAsync(connection, no, [.. ids.Select(id => id.ToGuid())], cancellationToken);
        await PostgresRemoval.CountAsync(connection, no, removed.Select(one => one.Id), LedgerKind.Erased, cancellationToken);
        var hashesFrom = EventId.LowerBound(time.GetUtcNow() - TimeSpan.FromMilliseconds(DedupWindow.LengthMs));
        await PostgresRemoval.KeepAsync(connection, moved, removed, journalFrom, hashesFrom, cancellationToken);
        var result = moved.Add([.. removed.Select(one => one.Id)]);
        await connection.ExecuteAsync(
            ErasureStatements.Note,
            parameters => parameters.With(no).With(result.Id).With(result.Erased).With(ErasureColumns.Encode(result.Ids)),
            cancellationToken);
        await connection.ExecuteAsync(Tell, static _ => { }, cancellationToken);
        Failpoint.Pass(Failpoint.ErasureRemoving);
        return result;
    }
}
