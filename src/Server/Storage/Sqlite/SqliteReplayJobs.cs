using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Replays of many deliveries in SQLite.</summary>
internal sealed class SqliteReplayJobs(SqliteDatabase database)
{
    /// <summary>See <see cref="IDeadLetterStore.CountAsync"/>.</summary>
    public Task<long> CountAsync(int organizationNo, ReplayFilter filter, WantsEvent wants, CancellationToken cancellationToken)
    {
        var values = SqliteReplayScans.Values(organizationNo, filter);
        return database.ReadAsync(
            connection =>
            {
                if (!filter.Recovers)
                    return connection.Query(SqliteReplayScans.Statements.CountDeadLetters, row => row.GetInt64(0), values)[0];
                using var statement = new SqliteStatement(connection, ReplayScanStatements.Undelivered);
                using var row = statement.Open(values);
                var count = 0L;
                while (row.Read())
                {
                    if (ReplayScanStatements.Read(row, organizationNo, wants).IsMeant) count++;
                }

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
                    ReplayJobStatements.Insert,
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
        var rows = await database.ReadAsync(
            connection => connection.Query(ReplayJobStatements.Find, ReplayJobStatements.Read, organizationNo, id), cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>See <see cref="IDeadLetterStore.ReadJobsAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        await database.ReadAsync(
            connection => connection.Query(ReplayJobStatements.Latest, ReplayJobStatements.Read, organizationNo, limit),
            cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.ReadUnfinishedAsync"/>.</summary>
    public async Task<IReadOnlyList<ReplayJob>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(
            connection => connection.Query(ReplayJobStatements.Unfinished, ReplayJobStatements.Read), cancellationToken);

    /// <summary>See <see cref="IDeadLetterStore.RunChunkAsync"/>.</summary>
    public Task<ReplayJob?> RunChunkAsync(
        ReplayJob known, int limit, DateTimeOffset now, WantsEvent wants, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => RunChunk(connection, known, limit, now, wants), cancellationToken);

    private static ReplayJob? RunChunk(SqliteConnection connection, ReplayJob known, int limit, DateTimeOffset now, WantsEvent wants)
    {
        var jobs = connection.Query(ReplayJobStatements.FindUnfinished, ReplayJobStatements.Read, known.OrganizationNo, known.Id);
        if (jobs is not [var job]) return null;
        var scanned = connection.Query(
            job.Filter.Recovers ? ReplayScanStatements.ScanEvents : SqliteReplayScans.Statements.ScanDeadLetters,
            row => ReplayScanStatements.Read(row, job.OrganizationNo, wants),
            [.. SqliteReplayScans.Values(job.OrganizationNo, job.Filter), job.Cursor ?? default(EventId), limit, job.CreatedAt]);
        var chunk = ReplayChunk.Of(scanned, limit);
        SqliteRequeue.Run(connection, job.OrganizationNo, chunk.Deliveries, job.DueTimes(chunk.Deliveries.Count, now), now);
        var moved = chunk.Move(job, now);
        connection.Execute(ReplayJobStatements.Move, job.OrganizationNo, job.Id, moved.Cursor, moved.Queued, moved.FinishedAt);
        return moved;
    }
}
