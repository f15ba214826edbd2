using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>
/// Carries out the replays of many deliveries: a chunk of each unfinished job in turn, so that a large one does not hold up the others.
/// What there is to do is read from the store each time, so a job goes on after a restart, and from another server's as well.
/// </summary>
internal sealed partial class ReplayRunner(
    IDeadLetterStore store, WantsEvent wants, Action<DateTimeOffset> due, TimeProvider time, ILogger<ReplayRunner> logger) : JobRunner(time)
{
    /// <summary>
    /// Deliveries that a chunk looks at: some 20 ms of the store's time, for which recording of the endpoint's results waits.
    /// </summary>
    private const int ChunkSize = 500;

    /// <inheritdoc/>
    protected override async Task<bool> RunOnceAsync(CancellationToken stop)
    {
        var jobs = await store.ReadUnfinishedAsync(stop);
        foreach (var job in jobs)
        {
            stop.ThrowIfCancellationRequested();
            var now = Time.GetUtcNow();
            var moved = await store.RunChunkAsync(job, ChunkSize, now, wants, stop);
            Failpoint.Pass(Failpoint.ReplayChunkQueued);
            if (moved is null) continue;
            if (moved.Queued > job.Queued) due(now);
            if (moved.FinishedAt is not null) Log.Finished(logger, job.Id, moved.Queued, moved.Matched);
        }

        return jobs.Count > 0;
    }

    /// <inheritdoc/>
    protected override void LogNotDone(Exception? unexpected, string reason, TimeSpan wait) =>
        Log.NotDone(logger, unexpected, reason, wait);

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.ReplayRunnerFinished, LogLevel.Information,
            "Replay {Job} has queued all of its deliveries: {Queued} of {Matched} matched at its start")]
        public static partial void Finished(ILogger logger, Guid job, long queued, long matched);

        [LoggerMessage(LogEvents.ReplayRunnerNotDone, LogLevel.Warning, "Replays cannot go on ({Reason}); they are tried again in {Wait}")]
        public static partial void NotDone(ILogger logger, Exception? exception, string reason, TimeSpan wait);
    }
}
