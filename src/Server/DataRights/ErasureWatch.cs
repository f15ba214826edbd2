using System.Collections.Concurrent;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// Follows the erasures that other servers on the same database carry out: forgets their events in memory, so that no webhook of them is
/// sent any more, and erases them from this server's own journal. It looks each second, and at once when the database notifies it, and
/// reads each erasure on from where it was at the last look.
/// </summary>
/// <param name="changes">Where the erasures are.</param>
/// <param name="dispatcher">The memory.</param>
/// <param name="journalNow">This server's journal; null while it has none that it may change.</param>
/// <param name="here">What need not be followed.</param>
/// <param name="journalFor">How long the journal keeps what is stored (<c>Journal:RetainFor</c>): the start looks back as far.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class ErasureWatch(
    IAccountChanges changes,
    Dispatcher dispatcher,
    Func<IErasableJournal?> journalNow,
    ErasedHere here,
    TimeSpan journalFor,
    TimeProvider time,
    ILogger<ErasureWatch> logger) : BackgroundService
{
    /// <summary>Between two looks when nothing is heard.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Erasures that ended so long before the last look are not looked at: more than servers' clocks differ, and than memory holds an event
    /// that was read before the start.
    /// </summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromHours(1);

    private static readonly EventId Last = new(ulong.MaxValue, ulong.MaxValue);

    private readonly WakeSignal _wake = new();
    private readonly Backoff _backoff = new(time);
    private readonly OwedByJournal _owed = new(journalNow, time);
    private readonly ConcurrentQueue<(int OrganizationNo, EventId Id)> _late = new();
    private readonly HashSet<int> _organizations = [];
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private Dictionary<Guid, (EventId Cursor, long Erased)> _seen = [];
    private DateTimeOffset? _lookedAt;
    private bool _toldOfJournal;

    /// <summary>Something was erased.</summary>
    public void Wake() => _wake.Set();

    /// <summary>The journal holds these, which were erased before they could be stored; any thread.</summary>
    public void Owe(IReadOnlyList<LateErased> erased)
    {
        foreach (var one in erased) _late.Enqueue((one.Event.OrganizationNo, one.Event.Id));
    }

    /// <summary>
    /// One look. Throws <see cref="StoreException"/>, and what the journal's disk does; what was not followed then is followed by the next
    /// one.
    /// </summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var erasures = await changes.ReadErasuresAsync((_lookedAt ?? _startedAt - journalFor) - LookBack, cancellationToken);
        here.Keep(erasures.Select(static one => one.Id).ToHashSet());
        var organizations = erasures
            .Where(static one => one.Kind == ErasureKind.Organization).Select(static one => one.OrganizationNo).ToHashSet();
        foreach (var no in organizations) dispatcher.Gone.AddThrough(no, Last);
        foreach (var no in organizations.Concat(_organizations).Distinct().ToList())
        {
            // When it is first seen, and when it is gone: what was accepted meanwhile is stored then.
            if (_organizations.Contains(no) == organizations.Contains(no)) continue;
            _owed.AddOrganization(no);
            if (!_organizations.Remove(no)) _organizations.Add(no);
        }

        foreach (var one in erasures)
            if (one.Kind == ErasureKind.Events && !here.Covers(one)) await FollowAsync(one, cancellationToken);
        var known = erasures.Select(static one => one.Id).ToHashSet();
        _seen = _seen.Where(one => known.Contains(one.Key)).ToDictionary();
        _lookedAt = now;
        while (_late.TryDequeue(out var late)) _owed.Add(late.OrganizationNo, [late.Id]);
        await EraseFromJournalAsync(cancellationToken);
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

    private async Task FollowAsync(ErasureElsewhere erasure, CancellationToken cancellationToken)
    {
        var (no, seen) = (erasure.OrganizationNo, _seen.GetValueOrDefault(erasure.Id));
        if (erasure.Erased == seen.Erased) return;
        var ids = await changes.ReadErasedAsync(erasure, seen.Cursor, cancellationToken);
        _owed.Add(no, ids);

        // Memory was filled from the store after those were gone.
        if (erasure.FinishedAt is null || erasure.FinishedAt > _startedAt - LookBack)
        {
            List<EventId> fresh = [.. ids.Where(id => !dispatcher.Gone.Contains(no, id))];
            if (fresh.Count > 0)
            {
                await dispatcher.ErasingAsync(no, fresh);
                Log.Forgotten(logger, fresh.Count, no);
            }
        }

        _seen[erasure.Id] = (erasure.Cursor, erasure.Erased);
    }

    private async Task EraseFromJournalAsync(CancellationToken cancellationToken)
    {
        var isErased = await _owed.TryPayAsync(cancellationToken);
        if (!isErased && !_toldOfJournal) Log.InJournal(logger);
        _toldOfJournal = !isErased;
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.ErasureWatchForgotten, LogLevel.Information,
            "{Count} events of organization {OrganizationNo} were erased by another server, or before the start; memory forgets them")]
        public static partial void Forgotten(ILogger logger, int count, int organizationNo);

        [LoggerMessage(
            LogEvents.ErasureWatchInJournal, LogLevel.Warning,
            "This server's journal may still hold events that another server has erased: it cannot be written anew now; it is tried again")]
        public static partial void InJournal(ILogger logger);

        [LoggerMessage(
            LogEvents.ErasureWatchNotRead, LogLevel.Warning, "What other servers erase cannot be read ({Reason}); it is tried again")]
        public static partial void NotRead(ILogger logger, Exception? error, string reason);
    }
}
