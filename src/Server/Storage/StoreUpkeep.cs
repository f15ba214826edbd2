using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// Lets the store do from time to time what must not wait for an event to need it: partitions of the days ahead, and expired events. A
/// failure is logged and made good at the next turn; until then the store writer makes the day that it needs itself.
/// </summary>
internal sealed partial class StoreUpkeep(IEventStore store, TimeProvider time, ILogger<StoreUpkeep> logger, Retention? retention = null)
    : BackgroundService
{
    /// <summary>Between two turns: a fraction of a day, since a day is what may be missing.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>One turn.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.MaintainAsync(cancellationToken);
        }
        catch (StoreException failure)
        {
            Log.NotDone(logger, failure.Message);
        }

        try
        {
            if (retention is not null) await retention.RunAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Log.NotExpired(logger, failure is StoreException ? null : failure, failure.Message);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await RunOnceAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.StoreUpkeepNotDone, LogLevel.Warning,
            "Partitions could not be made ahead, which is tried again: {Reason}")]
        public static partial void NotDone(ILogger logger, string reason);

        [LoggerMessage(LogEvents.StoreUpkeepNotExpired, LogLevel.Warning,
            "Not all expired events could be removed, which is tried again: {Reason}")]
        public static partial void NotExpired(ILogger logger, Exception? failure, string reason);
    }
}
