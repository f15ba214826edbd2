using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Erasure in Postgres.</summary>
internal sealed class PostgresErasures(PostgresDatabase database, TimeProvider time) : IErasureStore
{
    private const string Columns =
        "organization_no, id, kind, selection, dry_run, through, cursor, matched, erased, ids, journal_erased, requested_at, finished_at";

    private const string Insert = """
        INSERT INTO erasures (organization_no, id, kind, selection, dry_run, through, cursor, requested_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8
        WHERE (SELECT count(*) FROM erasures j WHERE j.organization_no = $1 AND j.finished_at IS NULL AND j.id <> $2) < $9
        ON CONFLICT (organization_no, id) DO UPDATE SET kind = excluded.kind
        """;

    private const string EndKeys = """
        DELETE FROM api_keys WHERE organization_no = $1
        """;

    private const string Find = $"""
        SELECT {Columns} FROM erasures WHERE organization_no = $1 AND id = $2
        """;

    private const string Unfinished = $"""
        SELECT {Columns} FROM erasures j WHERE j.finished_at IS NULL ORDER BY j.requested_at, j.id
        """;

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

    private const string Present = """
        SELECT e.id FROM events e WHERE e.organization_no = $1 AND e.id = ANY ($2)
        UNION
        SELECT q.id FROM quarantine q WHERE q.organization_no = $1 AND q.id = ANY ($2)
        """;

    private const string SetAside = """
        SELECT q.id, q.event FROM quarantine q WHERE q.organization_no = $1 ORDER BY q.id
        """;

    private const string Move = """
        UPDATE erasures SET cursor = $4, matched = $5 WHERE organization_no = $1 AND id = $2 AND cursor = $3 AND finished_at IS NULL
        """;

    private const string Note = """
        UPDATE erasures SET erased = $3, ids = $4 WHERE organization_no = $1 AND id = $2
        """;

    private const string Finish = """
        UPDATE erasures SET selection = '', journal_erased = $3, finished_at = $4 WHERE organization_no = $1 AND id = $2
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
            await using var insert = new NpgsqlCommand(Insert, connection);
            insert.Parameters.With(erasure.OrganizationNo).With(erasure.Id).With((short)erasure.Kind).With(erasure.Selection)
                .With(erasure.IsDryRun).With(erasure.Through).With(erasure.Cursor).With(erasure.RequestedAt.ToUniversalTime())
                .With(erasure.Kind == ErasureKind.Organization ? int.MaxValue : (long)Erasure.MaxUnfinished);
            if (await insert.ExecuteNonQueryAsync(cancellationToken) == 0) return false;
            await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(erasure.OrganizationNo, erasure.Id), cancellationToken);
            await PostgresLateErasures.KeepAsync(connection, erasure, cancellationToken);
            if (erasure.Kind != ErasureKind.Organization) return true;
            await using var end = new NpgsqlCommand(EndKeys, connection);
            end.Parameters.With(erasure.OrganizationNo);
            await end.ExecuteNonQueryAsync(cancellationToken);
            await connection.ExecuteAsync(Tell, static _ => { }, cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<Erasure?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Find, parameters => parameters.With(organizationNo).With(id), ReadErasure, cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Erasure>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(Unfinished, _ => { }, ReadErasure, cancellationToken);

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
            SetAside,
            parameters => parameters.With(organizationNo),
            row => new ScannedEvent(
                row.GetEventId(0),
                QuarantinedRow.Decode(organizationNo, row.GetEventId(0), row.GetFieldValue<byte[]>(1)).Payload.ToArray()),
            cancellationToken);

    /// <inheritdoc/>
    public Task<Erasure?> EraseAsync(
        Erasure known, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                await using var move = new NpgsqlCommand(Move, connection);
                move.Parameters.With(known.OrganizationNo).With(known.Id).With(known.Cursor).With(moved.Cursor).With(moved.Matched);
                if (await move.ExecuteNonQueryAsync(cancellationToken) == 0) return null;
                return ids.Count == 0 ? moved : await RemoveAsync(connection, moved, ids, journalFrom, cancellationToken);
            },
            cancellationToken);

    /// <summary>What PostgreSQL keeps is its operator's: docs/operations.md.</summary>
    public Task<bool> TryPurgeAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    /// <inheritdoc/>
    public Task FinishAsync(Erasure finished, CancellationToken cancellationToken) => database.ExecuteAsync(
        Finish,
        parameters => parameters.With(finished.OrganizationNo).With(finished.Id).With(finished.IsJournalErased)
            .With(finished.FinishedAt?.ToUniversalTime()),
        cancellationToken);

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
    public Task<(long Events, bool IsDone)> EraseOrganizationAsync(
        int organizationNo, int limit, bool mayEnd, CancellationToken cancellationToken) =>
        _organizations.RunAsync(organizationNo, limit, mayEnd, cancellationToken);

    private async Task<Erasure?> RemoveAsync(
        NpgsqlConnection connection, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken)
    {
        var no = moved.OrganizationNo;
        var (removed, _) = await PostgresRemoval.RunAsync(connection, no, [.. ids.Select(id => id.ToGuid())], cancellationToken);
        await PostgresRemoval.CountAsync(connection, no, removed.Select(one => one.Id), LedgerKind.Erased, cancellationToken);
        var hashesFrom = EventId.LowerBound(time.GetUtcNow() - TimeSpan.FromMilliseconds(DedupWindow.LengthMs));
        await PostgresRemoval.KeepAsync(connection, moved, removed, journalFrom, hashesFrom, cancellationToken);
        var named = moved.Ids.Concat(removed.Select(one => one.Id).Order()).Take(Erasure.MaxIds).ToList();
        var result = moved with { Erased = moved.Erased + removed.Count, Ids = named };
        await using var note = new NpgsqlCommand(Note, connection);
        note.Parameters.With(no).With(moved.Id).With(result.Erased).With(ErasureColumns.Encode(named));
        await note.ExecuteNonQueryAsync(cancellationToken);
        await connection.ExecuteAsync(Tell, static _ => { }, cancellationToken);
        Failpoint.Pass(Failpoint.ErasureRemoving);
        return result;
    }

    private static Erasure ReadErasure(NpgsqlDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetGuid(1),
        Kind = (ErasureKind)row.GetInt16(2),
        Selection = row.GetString(3),
        IsDryRun = row.GetBoolean(4),
        Through = row.GetEventId(5),
        Cursor = row.GetEventId(6),
        Matched = row.GetInt64(7),
        Erased = row.GetInt64(8),
        Ids = ErasureColumns.Decode(row.GetString(9)),
        IsJournalErased = row.GetBoolean(10),
        RequestedAt = row.GetTime(11),
        FinishedAt = row.GetTimeOrNull(12),
    };
}
