using Npgsql;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Events of a journal that were erased before they could be stored, in Postgres.</summary>
internal sealed class PostgresLateErasures(PostgresDatabase database, TimeProvider time)
{
    /// <summary>
    /// Of an organization that is gone its number is kept, past every id (<c>$2</c>); see <see cref="OrganizationTables.KeepNumber"/>.
    /// </summary>
    private const string Read = """
        SELECT j.organization_no, j.id, j.kind, j.through, j.late
        FROM unnest($1::integer[]) AS u (organization_no)
        JOIN erasures j ON j.organization_no = u.organization_no
        WHERE NOT j.dry_run AND (j.kind = 2 OR (j.late <> '' AND j.through >= $3))
        UNION ALL
        SELECT t.organization_no, '00000000-0000-0000-0000-000000000000'::uuid, 2::smallint, t.expired_through, ''
        FROM unnest($1::integer[]) AS v (organization_no)
        JOIN expirations t ON t.organization_no = v.organization_no
        WHERE t.expired_through = $2
        """;

    private const string Noted = """
        SELECT f.id
        FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (SELECT x.id FROM erased_events x WHERE x.organization_no = $1 AND x.id = k.id OFFSET 0) f
        """;

    /// <summary>Keeps what a new erasure means, in the transaction that keeps the erasure.</summary>
    public static async Task KeepAsync(NpgsqlConnection connection, Erasure erasure, CancellationToken cancellationToken)
    {
        if (LateErasure.Write(erasure) is not { Length: > 0 } late) return;
        await connection.ExecuteAsync(
            LateErasureStatements.Keep, parameters => parameters.With(erasure.OrganizationNo).With(erasure.Id).With(late), cancellationToken);
    }

    /// <summary>See <see cref="IEventStore.FindErasedAsync"/>.</summary>
    public async Task<IReadOnlyList<LateErased>> FindAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        if (events.IsEmpty) return [];
        var numbers = new HashSet<int>();
        foreach (ref readonly var item in events.Span) numbers.Add(item.OrganizationNo);
        var (organizationNos, earliest) = (numbers.ToArray(), LateErasure.EarliestThrough(events.Span));
        var erasures = await database.QueryAsync(
            Read,
            parameters => parameters.With(organizationNos).With(new EventId(ulong.MaxValue, ulong.MaxValue)).With(earliest),
            row => (ErasureKind)row.GetInt16(2) == ErasureKind.Organization
                ? LateErasure.OfOrganization(row.GetInt32(0))
                : LateErasure.Read(row.GetInt32(0), row.GetGuid(1), row.GetEventId(3), row.GetString(4)),
            cancellationToken);
        return LateErasure.Find(events, erasures);
    }

    /// <summary>See <see cref="IEventStore.NoteErasedAsync"/>.</summary>
    public async Task NoteAsync(Guid journalId, IReadOnlyList<LateErased> erased, CancellationToken cancellationToken)
    {
        foreach (var group in erased.Where(static one => !one.By.IsOrganization).GroupBy(static one => one.By))
        {
            var (by, events) = (group.Key, group.Select(static one => one.Event).ToArray());
            await database.RunInTransactionAsync(
                async connection =>
                {
                    await NoteAsync(connection, journalId, by, events, cancellationToken);
                    return true;
                },
                cancellationToken);
        }
    }

    private async Task NoteAsync(
        NpgsqlConnection connection, Guid journalId, LateErasure by, JournaledEvent[] events, CancellationToken cancellationToken)
    {
        var no = by.OrganizationNo;
        var noted = await connection.QueryAsync(
            Noted,
            parameters => parameters.With(no).With(events.Select(static item => item.Id.ToGuid()).ToArray()),
            row => row.GetEventId(0),
            cancellationToken);
        JournaledEvent[] fresh = [.. events.Where(item => !noted.Contains(item.Id))];
        if (fresh.Length == 0) return;
        var removed = Array.ConvertAll(fresh, static item => RemovedEvent.Of(item));
        var hashesFrom = EventId.LowerBound(time.GetUtcNow() - TimeSpan.FromMilliseconds(DedupWindow.LengthMs));
        await PostgresRemoval.KeepAsync(connection, by.AsErasure(), removed, journalFrom: default, hashesFrom, cancellationToken);
        var ids = fresh.Select(static item => item.Id);
        await PostgresRemoval.CountAsync(connection, no, ids, LedgerKind.Accepted, cancellationToken);
        await PostgresRemoval.CountAsync(connection, no, ids, LedgerKind.Erased, cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        PostgresUsage.Add(batch, AcceptedCount.Of(fresh).ForUsage(), journalId);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
