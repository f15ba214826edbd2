using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>
/// Carries out the replays of many deliveries: a chunk of each unfinished job in turn, so that a large one does not hold up the others.
/// What there is to do is read from the store each time, so a job goes on after a restart, and from another server's as well.
/// </summary>
internal sealed partial class ReplayRunner(
    IDeadLetterStore store, WantsEvent wants, Action<DateTimeOffset> due, TimeProvider time, ILogger<ReplayRunner> logger) : BackgroundService
{
    /// <summary>
    /// Deliveries that a chunk looks at: some 20 ms of the store's time, for which recording of the endpoint's results waits.
    /// </summary>
    private const int ChunkSize = 500;

    /// <summary>Between two looks for jobs that nobody has told of.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly WakeSignal _wake = new();

    /// <summary>A job has been kept.</summary>
    public void Wake() => _wake.Set();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(time);
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = Interval;
            try
            {
                while (await RunOnceAsync(stoppingToken))
                {
                }

                backoff.Succeeded();
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                var isNews = backoff.IsGrowing;
                wait = backoff.Failed();
                if (isNews) Log.NotDone(logger, exception is Core.Storing.StoreException ? null : exception, exception.Message, wait);
            }

            await _wake.WaitAsync(wait, time, stoppingToken);
        }
    }

    /// <summary>A chunk of each unfinished job; false when there is none. Throws <see cref="Core.Storing.StoreException"/>.</summary>
    private async Task<bool> RunOnceAsync(CancellationToken stop)
    {
        var jobs = await store.ReadUnfinishedAsync(stop);
        foreach (var job in jobs)
        {
            stop.ThrowIfCancellationRequested();
            var now = time.GetUtcNow();
            var moved = await store.RunChunkAsync(job, ChunkSize, now, wants, stop);
            Failpoint.Pass(Failpoint.ReplayChunkQueued);
            if (moved is null) continue;
            if (moved.Queued > job.Queued) due(now);
            if (moved.FinishedAt is not null) Log.Finished(logger, job.Id, moved.Queued, moved.Matched);
        }

        return jobs.Count > 0;
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.ReplayRunnerFinished, LogLevel.Information, "Replay {Job} has queued all of its deliveries: {Queued} of {Matched} matched at its start")]
        public static partial void Finished(ILogger logger, Guid job, long queued, long matched);

        [LoggerMessage(LogEvents.ReplayRunnerNotDone, LogLevel.Warning, "Replays cannot go on ({Reason}); they are tried again in {Wait}")]
        public static partial void NotDone(ILogger logger, Exception? exception, string reason, TimeSpan wait);
    }
}
