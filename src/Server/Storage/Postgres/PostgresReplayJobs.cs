using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Replays of many deliveries in Postgres.</summary>
internal sealed class PostgresReplayJobs(PostgresDatabase database)
{
    /// <summary>Locks the job: of two servers one waits, then goes on from there.</summary>
    private const string Take = $"{ReplayJobStatements.FindUnfinished} FOR UPDATE";

    /// <summary>See <see cref="IDeadLetterStore.CountAsync"/>.</summary>
    public Task<long> CountAsync(int organizationNo, ReplayFilter filter, WantsEvent wants, CancellationToken cancellationToken) =>
        database.RunAsync(
            async connection =>
            {
                var sql = filter.Recovers ? ReplayScanStatements.Undelivered : PostgresReplayScans.Statements.CountDeadLetters;
                await using var command = new NpgsqlCommand(sql, connection);
                PostgresReplayScans.Bind(command.Parameters, organizationNo, filter);
                if (!filter.Recovers) return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                var count = 0L;
                while (await reader.ReadAsync(cancellationToken))
                {
                    if (ReplayScanStatements.Read(reader, organizationNo, wants).IsMeant) count++;
                }

                return count;
            },
            cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.AddJobAsync"/>.</summary>
    public Task<bool> AddAsync(ReplayJob job, CancellationToken cancellationToken) => database.RunInTransactionAsync(
        async connection =>
        {
            var rows = await connection.ExecuteAsync(
                ReplayJobStatements.Insert,
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
        var rows = await database.QueryAsync(
            ReplayJobStatements.Find, parameters => parameters.With(organizationNo).With(id), ReplayJobStatements.Read, cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>See <see cref="IDeadLetterStore.ReadJobsAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            ReplayJobStatements.Latest,
            parameters => parameters.With(organizationNo).With(limit),
            ReplayJobStatements.Read,
            cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.ReadUnfinishedAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(ReplayJobStatements.Unfinished, _ => { }, ReplayJobStatements.Read, cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.RunChunkAsync"/>.</summary>
    public Task<ReplayJob?> RunChunkAsync(
        ReplayJob known, int limit, DateTimeOffset now, WantsEvent wants, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                var jobs = await connection.QueryAsync(
                    Take, p => p.With(known.OrganizationNo).With(known.Id), ReplayJobStatements.Read, cancellationToken);
                if (jobs is not [var job]) return null;
                await PostgresRequeue.LockLanesAsync(connection, job.OrganizationNo, job.Filter.EndpointId, cancellationToken);
                var scanned = await connection.QueryAsync(
                    job.Filter.Recovers ? ReplayScanStatements.ScanEvents : PostgresReplayScans.Statements.ScanDeadLetters,
                    p => PostgresReplayScans.Bind(p, job.OrganizationNo, job.Filter).With(job.Cursor?.ToGuid() ?? Guid.Empty).With(limit)
                        .With(job.CreatedAt.ToUniversalTime()),
                    row => ReplayScanStatements.Read(row, job.OrganizationNo, wants),
                    cancellationToken);
                var chunk = ReplayChunk.Of(scanned, limit);
                var due = job.DueTimes(chunk.Deliveries.Count, now);
                await PostgresRequeue.RunAsync(connection, job.OrganizationNo, chunk.Deliveries, due, now, cancellationToken);
                var moved = chunk.Move(job, now);
                await connection.ExecuteAsync(
                    ReplayJobStatements.Move,
                    p => p.With(job.OrganizationNo).With(job.Id).With(moved.Cursor?.ToGuid()).With(moved.Queued).With(moved.FinishedAt),
                    cancellationToken);
                return moved;
            },
            cancellationToken);
}
