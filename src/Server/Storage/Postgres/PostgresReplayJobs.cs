using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Replays of many deliveries in Postgres.</summary>
internal sealed class PostgresReplayJobs(PostgresDatabase database)
{
    private const string Columns =
        "organization_no, id, endpoint_id, filter, since, until, rate_per_second, cursor, matched, queued, created_at, finished_at";

    private const string Insert = $"""
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
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 AND id = $2 AND finished_at IS NULL FOR UPDATE
        """;

    private const string Move = """
        UPDATE replay_jobs SET cursor = coalesce($3, cursor), queued = $4, finished_at = $5 WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>See <see cref="IDeadLetterStore.CountAsync"/>.</summary>
    public Task<long> CountAsync(int organizationNo, ReplayFilter filter, WantsEvent wants, CancellationToken cancellationToken) => database.RunAsync(
        async connection =>
        {
            var sql = filter.Recovers ? PostgresReplayScans.Undelivered : PostgresReplayScans.CountDeadLetters;
            await using var command = new NpgsqlCommand(sql, connection);
            PostgresReplayScans.Bind(command.Parameters, organizationNo, filter);
            if (!filter.Recovers) return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var count = 0L;
            while (await reader.ReadAsync(cancellationToken)) count += ReadScanned(reader, organizationNo, wants).IsMeant ? 1 : 0;
            return count;
        },
        cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.AddJobAsync"/>.</summary>
    public Task<bool> AddAsync(ReplayJob job, CancellationToken cancellationToken) => database.RunInTransactionAsync(
        async connection =>
        {
            var rows = await connection.ExecuteAsync(
                Insert,
                parameters => parameters.With(job.OrganizationNo).With(job.Id).With(job.Filter.EndpointId)
                    .With(ReplayFilterText.Write(job.Filter)).With(job.Filter.Since?.ToUniversalTime())
                    .With(job.Filter.Until?.ToUniversalTime()).With(job.RatePerSecond).With(job.Matched)
                    .With(job.CreatedAt.ToUniversalTime()).With((long)ReplayJob.MaxUnfinished),
                cancellationToken);
            if (rows > 0)
                await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(job.OrganizationNo, job.Id), cancellationToken);
            return rows > 0;
        },
        cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.FindJobAsync"/>.</summary>
    public async Task<ReplayJob?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(Find, parameters => parameters.With(organizationNo).With(id), ReadJob, cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>See <see cref="IDeadLetterStore.ReadJobsAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        await database.QueryAsync(Latest, parameters => parameters.With(organizationNo).With(limit), ReadJob, cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.ReadUnfinishedAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(Unfinished, _ => { }, ReadJob, cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.RunChunkAsync"/>. Locks the job first: of two servers one waits, then goes on from there.</summary>
    public Task<ReplayJob?> RunChunkAsync(
        ReplayJob known, int limit, DateTimeOffset now, WantsEvent wants, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                var jobs = await connection.QueryAsync(Take, p => p.With(known.OrganizationNo).With(known.Id), ReadJob, cancellationToken);
                if (jobs.Count == 0) return null;
                var job = jobs[0];
                await PostgresRequeue.LockLanesAsync(connection, job.OrganizationNo, job.Filter.EndpointId, cancellationToken);
                var sql = job.Filter.Recovers ? PostgresReplayScans.ScanEvents : PostgresReplayScans.ScanDeadLetters;
                var scanned = await connection.QueryAsync(
                    sql,
                    p => PostgresReplayScans.Bind(p, job.OrganizationNo, job.Filter).With(job.Cursor?.ToGuid() ?? Guid.Empty).With(limit)
                        .With(job.CreatedAt.ToUniversalTime()),
                    row => ReadScanned(row, job.OrganizationNo, wants),
                    cancellationToken);
                var chunk = ReplayChunk.Of(scanned, limit);
                var due = job.DueTimes(chunk.Deliveries.Count, now);
                await PostgresRequeue.RunAsync(connection, job.OrganizationNo, chunk.Deliveries, due, now, cancellationToken);
                var moved = job with
                {
                    Cursor = chunk.Cursor ?? job.Cursor,
                    Queued = job.Queued + chunk.Deliveries.Count,
                    FinishedAt = chunk.IsLast ? now.ToUniversalTime() : null,
                };
                await using var move = new NpgsqlCommand(Move, connection);
                move.Parameters.With(job.OrganizationNo).With(job.Id).With(moved.Cursor?.ToGuid()).With(moved.Queued).With(moved.FinishedAt);
                await move.ExecuteNonQueryAsync(cancellationToken);
                return moved;
            },
            cancellationToken);

    private static ScannedDelivery ReadScanned(NpgsqlDataReader row, int organizationNo, WantsEvent wants)
    {
        var (id, endpointId, kind) = (row.GetEventId(0), row.GetGuid(1), (ScanKind)row.GetInt32(2));
        return new ScannedDelivery(
            id, endpointId, kind.IsMeant(() => wants(organizationNo, endpointId, id, row.GetString(3), row.GetTextOrNull(4))));
    }

    private static ReplayJob ReadJob(NpgsqlDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetGuid(1),
        Filter = ReplayFilterText.Read(
            row.GetString(3), row.IsDBNull(2) ? null : row.GetGuid(2), row.GetTimeOrNull(4), row.GetTimeOrNull(5)),
        RatePerSecond = row.GetInt32(6),
        Cursor = row.IsDBNull(7) ? null : row.GetEventId(7),
        Matched = row.GetInt64(8),
        Queued = row.GetInt64(9),
        CreatedAt = row.GetTime(10),
        FinishedAt = row.GetTimeOrNull(11),
    };
}
