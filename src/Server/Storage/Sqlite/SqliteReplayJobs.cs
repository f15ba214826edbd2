using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Replays of many deliveries in SQLite.</summary>
internal sealed class SqliteReplayJobs(SqliteDatabase database)
{
    private const string Columns =
        "organization_no, id, endpoint_id, filter, since, until, rate_per_second, cursor, matched, queued, created_at, finished_at";

    private const string Insert = """
        INSERT INTO replay_jobs (organization_no, id, endpoint_id, filter, since, until, rate_per_second, matched, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
        WHERE (SELECT count(*) FROM replay_jobs j WHERE j.organization_no = $1 AND j.finished_at IS NULL AND j.id <> $2) < $10
        ON CONFLICT (organization_no, id) DO UPDATE SET matched = excluded.matched
        """;

    private const string Find = $"""
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 AND id = $2
        """;

    private const string Latest = $"""
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 ORDER BY id DESC LIMIT $2
        """;

    private const string Unfinished = $"""
        SELECT {Columns} FROM replay_jobs j WHERE j.finished_at IS NULL ORDER BY j.created_at, j.id
        """;

    private const string Take = $"""
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 AND id = $2 AND finished_at IS NULL
        """;

    private const string Move = """
        UPDATE replay_jobs SET cursor = coalesce($3, cursor), queued = $4, finished_at = $5 WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>See <see cref="IDeadLetterStore.CountAsync"/>.</summary>
    public Task<long> CountAsync(int organizationNo, ReplayFilter filter, WantsEvent wants, CancellationToken cancellationToken)
    {
        var values = SqliteReplayScans.Values(organizationNo, filter);
        return database.ReadAsync(
            connection =>
            {
                if (!filter.Recovers) return connection.Query(SqliteReplayScans.CountDeadLetters, row => row.GetInt64(0), values)[0];
                using var statement = new SqliteStatement(connection, SqliteReplayScans.Undelivered);
                using var row = statement.Open(values);
                var count = 0L;
                while (row.Read()) count += ReadScanned(row, organizationNo, wants).IsMeant ? 1 : 0;
                return count;
            },
            cancellationToken);
    }

    /// <summary>See <see cref="IDeadLetterStore.AddJobAsync"/>.</summary>
    public Task<bool> AddAsync(ReplayJob job, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(job.OrganizationNo, job.Id);
        return database.WriteAsync(
            connection =>
            {
                var isAdded = connection.Execute(
                    Insert,
                    job.OrganizationNo,
                    job.Id,
                    job.Filter.EndpointId,
                    ReplayFilterText.Write(job.Filter),
                    job.Filter.Since,
                    job.Filter.Until,
                    job.RatePerSecond,
                    job.Matched,
                    job.CreatedAt,
                    ReplayJob.MaxUnfinished) > 0;
                if (isAdded) SqliteAudit.Insert(connection, entry);
                return isAdded;
            },
            cancellationToken);
    }

    /// <summary>See <see cref="IDeadLetterStore.FindJobAsync"/>.</summary>
    public async Task<ReplayJob?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(connection => connection.Query(Find, ReadJob, organizationNo, id), cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>See <see cref="IDeadLetterStore.ReadJobsAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        await database.ReadAsync(connection => connection.Query(Latest, ReadJob, organizationNo, limit), cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.ReadUnfinishedAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(connection => connection.Query(Unfinished, ReadJob), cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.RunChunkAsync"/>.</summary>
    public Task<ReplayJob?> RunChunkAsync(
        ReplayJob known, int limit, DateTimeOffset now, WantsEvent wants, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => RunChunk(connection, known, limit, now, wants), cancellationToken);

    private static ReplayJob? RunChunk(SqliteConnection connection, ReplayJob known, int limit, DateTimeOffset now, WantsEvent wants)
    {
        var jobs = connection.Query(Take, ReadJob, known.OrganizationNo, known.Id);
        if (jobs.Count == 0) return null;
        var job = jobs[0];
        var scanned = connection.Query(
            job.Filter.Recovers ? SqliteReplayScans.ScanEvents : SqliteReplayScans.ScanDeadLetters,
            row => ReadScanned(row, job.OrganizationNo, wants),
            [.. SqliteReplayScans.Values(job.OrganizationNo, job.Filter), job.Cursor ?? default(EventId), limit, job.CreatedAt]);
        var chunk = ReplayChunk.Of(scanned, limit);
        SqliteRequeue.Run(connection, job.OrganizationNo, chunk.Deliveries, job.DueTimes(chunk.Deliveries.Count, now), now);
        var moved = job with
        {
            Cursor = chunk.Cursor ?? job.Cursor,
            Queued = job.Queued + chunk.Deliveries.Count,
            FinishedAt = chunk.IsLast ? now : null,
        };
        connection.Execute(Move, job.OrganizationNo, job.Id, moved.Cursor, moved.Queued, moved.FinishedAt);
        return moved;
    }

    private static ScannedDelivery ReadScanned(SqliteDataReader row, int organizationNo, WantsEvent wants)
    {
        var (id, endpointId, kind) = (row.GetEventId(0), row.GetUuid(1), (ScanKind)row.GetInt32(2));
        return new ScannedDelivery(
            id, endpointId, kind.IsMeant(() => wants(organizationNo, endpointId, id, row.GetString(3), row.GetTextOrNull(4))));
    }

    private static ReplayJob ReadJob(SqliteDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        Filter = ReplayFilterText.Read(
            row.GetString(3), row.IsDBNull(2) ? null : row.GetUuid(2), row.GetTimeOrNull(4), row.GetTimeOrNull(5)),
        RatePerSecond = row.GetInt32(6),
        Cursor = row.IsDBNull(7) ? null : row.GetEventId(7),
        Matched = row.GetInt64(8),
        Queued = row.GetInt64(9),
        CreatedAt = row.GetTime(10),
        FinishedAt = row.GetTimeOrNull(11),
    };
}
