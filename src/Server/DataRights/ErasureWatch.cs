using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// Follows the erasures that other servers on the same database carry out: forgets their events in memory, so that no webhook of them is sent
/// any more, and erases them from this server's own journal. It looks each second, and at once when the database notifies it.
/// </summary>
internal sealed partial class ErasureWatch(
    IAccountChanges changes, Dispatcher dispatcher, Func<Shard?> shardNow, TimeProvider time, ILogger<ErasureWatch> logger) : BackgroundService
{
    /// <summary>Between two looks when nothing is heard.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Erasures that ended before are not looked at: longer than a database is away without this server being told that it is.</summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromHours(1);

    /// <summary>How long the journal may take.</summary>
    private static readonly TimeSpan JournalWait = TimeSpan.FromSeconds(5);

    private static readonly EventId Last = new(ulong.MaxValue, ulong.MaxValue);

    private readonly WakeSignal _wake = new();
    private readonly Backoff _backoff = new(time);
    private readonly HashSet<int> _organizations = [];
    private Dictionary<Guid, long> _seen = [];

    /// <summary>Something was erased.</summary>
    public void Wake() => _wake.Set();

    /// <summary>One look. Throws <see cref="StoreException"/>; what was not followed then is followed by the next one.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var erasures = await changes.ReadErasuresAsync(time.GetUtcNow() - LookBack, cancellationToken);
        var organizations = erasures.Where(static one => one.Kind == ErasureKind.Organization).Select(static one => one.OrganizationNo).ToHashSet();
        foreach (var no in organizations) dispatcher.Gone.AddThrough(no, Last);
        foreach (var no in organizations.Concat(_organizations).Distinct().ToList())
        {
            // When it is first seen, and when it is gone: what was accepted meanwhile is stored then.
            if (_organizations.Contains(no) == organizations.Contains(no)) continue;
            await EraseFromJournalAsync(no, ErasedFrames.OfOrganization(no), cancellationToken);
            if (!_organizations.Remove(no)) _organizations.Add(no);
        }

        var moved = erasures.Where(one => one.Kind == ErasureKind.Events && one.Erased != _seen.GetValueOrDefault(one.Id));
        foreach (var no in moved.Select(static one => one.OrganizationNo).Distinct()) await ForgetAsync(no, cancellationToken);
        _seen = erasures.ToDictionary(static one => one.Id, static one => one.Erased);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = Interval;
            try
            {
                await LookAsync(stoppingToken);
                _backoff.Succeeded();
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                if (_backoff.IsGrowing) Log.NotRead(logger, error is StoreException ? null : error, error.Message);
                wait = _backoff.Failed();
            }

            await _wake.WaitAsync(wait, time, stoppingToken);
        }
    }

    private async Task ForgetAsync(int no, CancellationToken cancellationToken)
    {
        // What this server erases itself is forgotten already.
        var erased = await changes.ReadErasedAsync(no, cancellationToken);
        List<EventId> ids = [.. erased.Where(id => !dispatcher.Gone.Contains(no, id))];
        if (ids.Count == 0) return;
        await dispatcher.ErasingAsync(no, ids);
        Log.Forgotten(logger, ids.Count, no);
        await EraseFromJournalAsync(no, ErasedFrames.Of(ids.Select(id => (no, id)).ToHashSet()), cancellationToken);
    }

    /// <summary>A server that has lost its shard cannot: what it has not stored another one may need from its journal.</summary>
    private async Task EraseFromJournalAsync(int no, ErasedFrames erased, CancellationToken cancellationToken)
    {
        if (shardNow() is { } shard && !await shard.TryEraseAsync(erased, JournalWait, cancellationToken)) Log.InJournal(logger, no);
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.ErasureWatchForgotten, LogLevel.Information,
            "Another server has erased {Count} events of organization {OrganizationNo}; memory has forgotten them")]
        public static partial void Forgotten(ILogger logger, int count, int organizationNo);

        [LoggerMessage(LogEvents.ErasureWatchInJournal, LogLevel.Warning, "This server's journal may hold erased events of organization {OrganizationNo} until its segments are deleted: it cannot be written anew now")]
        public static partial void InJournal(ILogger logger, int organizationNo);

        [LoggerMessage(
            LogEvents.ErasureWatchNotRead, LogLevel.Warning, "What other servers erase cannot be read ({Reason}); it is tried again")]
        public static partial void NotRead(ILogger logger, Exception? error, string reason);
    }
}
