using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Usage;

/// <summary>
/// What usage needs from time to time: counts in memory are written every 10 s and at the stop, other servers' events are read every 2 s
/// for the quotas, and organizations are told what they come near to every second. While the store is away counts are kept; a killed
/// process loses those of its last seconds.
/// </summary>
/// <param name="accounts">All organizations.</param>
/// <param name="store">Where usage is.</param>
/// <param name="quotas">Quotas to refresh; null = none, or nobody else can accept events.</param>
/// <param name="teller">Who tells; null = nobody is told.</param>
/// <param name="journalId">Whose events are this server's own.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">For what is not done.</param>
internal sealed partial class UsageUpkeep(
    AccountDirectory accounts,
    IUsageStore store,
    MonthlyQuotas? quotas,
    UsageTeller? teller,
    Guid journalId,
    TimeProvider time,
    ILogger<UsageUpkeep> logger) : BackgroundService
{
    private const int RefreshEvery = 2;
    private const int WriteEvery = 10;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How often a read is tried while counts are written under it; with writes 10 s apart the second one does.</summary>
    private const int MostReads = 4;

    // The last write, whether on its way or done. A read is good when none has begun under it: counts on their way are in neither place.
    private volatile Task _write = Task.CompletedTask;
    private bool _wasAway;

    /// <summary>
    /// An organization's sums of these days, both included, together with what this server has counted and not written yet. Waits for
    /// no other caller, and none waits for it. Throws <see cref="StoreException"/>.
    /// </summary>
    public async Task<IReadOnlyList<UsageSum>> ReadAsync(
        Organization organization, int fromDay, int toDay, CancellationToken cancellationToken)
    {
        for (var read = 1; ; read++)
        {
            var write = _write;
            await write.WaitAsync(cancellationToken);
            var stored = await store.ReadAsync(organization.No, fromDay, toDay, cancellationToken);
            var today = UsageTime.DayOf(time.GetUtcNow());
            if (today < fromDay || today > toDay) return stored;
            UsageSum[] counted =
                [.. UsageCounters.Kinds.Select(kind => new UsageSum(organization.No, today, kind, organization.Usage.Peek(kind)))];
            if (_write == write || read == MostReads) return [.. stored, .. counted.Where(static sum => sum.Events > 0)];
        }
    }

    /// <summary>
    /// Writes what is counted; what cannot be written stays counted. Not for concurrent use. Throws <see cref="StoreException"/>.
    /// </summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _write = end.Task;
        var taken = new List<(UsageCounters Usage, UsageSum Sum)>();
        try
        {
            var today = UsageTime.DayOf(time.GetUtcNow());
            foreach (var organization in accounts.Organizations)
            {
                foreach (var kind in UsageCounters.Kinds)
                {
                    if (organization.Usage.Take(kind) is > 0 and var events)
                        taken.Add((organization.Usage, new(organization.No, today, kind, events)));
                }
            }

            await store.AddAsync([.. taken.Select(static one => one.Sum)], cancellationToken);
        }
        catch
        {
            foreach (var (usage, sum) in taken) usage.Add(sum.Kind, sum.Events);
            throw;
        }
        finally
        {
            end.SetResult();
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await WriteAsync(cancellationToken);
        }
        catch (StoreException failure)
        {
            Log.GivenUp(logger, failure.Message);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            for (var turn = 1; await timer.WaitForNextTickAsync(stoppingToken); turn++) await RunOnceAsync(turn, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task RunOnceAsync(int turn, CancellationToken stop)
    {
        try
        {
            if (quotas is not null && turn % RefreshEvery == 0) await quotas.RefreshAsync(store, journalId, stop);
            if (teller is not null) await teller.LookAsync(stop);
            if (turn % WriteEvery == 0) await WriteAsync(stop);
            _wasAway = false;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            // One line per outage. A cancellation that nobody has asked for is a failure like others: the loop goes on.
            if (!_wasAway) Log.NotDone(logger, failure is StoreException ? null : failure, failure.Message);
            _wasAway = true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.UsageUpkeepNotDone, LogLevel.Warning,
            "Usage cannot be written or read now ({Reason}); what is counted is kept, and it is tried again each second")]
        public static partial void NotDone(ILogger logger, Exception? failure, string reason);

        [LoggerMessage(LogEvents.UsageUpkeepGivenUp, LogLevel.Information,
            "Stopping: the refusals and acknowledgements of the last seconds were not written ({Reason})")]
        public static partial void GivenUp(ILogger logger, string reason);
    }
}
