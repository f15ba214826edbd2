using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// Carries erasures out, a chunk of each unfinished one in turn: select, forget in memory, remove from the store, and at the end erase
/// from the journal. What there is to do is read from the store each time, so it goes on after a restart.
/// </summary>
internal sealed partial class ErasureRunner(
    IErasureStore store,
    AccountDirectory accounts,
    Dispatcher dispatcher,
    Func<Shard?> shardNow,
    RefusedEvents refused,
    TimeProvider time,
    ILogger<ErasureRunner> logger,
    ErasedHere? here = null) : JobRunner(time)
{
    /// <summary>Events in one chunk: some ten milliseconds of a store that has one writer.</summary>
    private const int ChunkSize = 500;

    /// <summary>How long the journal may take in one turn; the next one goes on.</summary>
    private static readonly TimeSpan JournalWait = TimeSpan.FromSeconds(5);

    private readonly PurgePause _pause = new(time);
    private bool _isPurgeOwed = true; // a former process may have died before it
    private volatile TaskCompletionSource _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when something has moved.</summary>
    public Task Turn => _turn.Task;

    /// <inheritdoc/>
    protected override TimeSpan UntilNextLook => _pause.IsOn ? PurgePause.Length : base.UntilNextLook;

    /// <inheritdoc/>
    protected override async Task<bool> RunOnceAsync(CancellationToken stop)
    {
        var hasMoved = false;
        _pause.EndIfOver();
        if (_isPurgeOwed) _isPurgeOwed = !await TryPurgeAsync(Guid.Empty, stop);
        var erasures = await store.ReadUnfinishedAsync(stop);
        foreach (var erasure in erasures)
        {
            stop.ThrowIfCancellationRequested();
            if (_pause.Rests(erasure.Id)) continue;
            hasMoved |= erasure.Kind == ErasureKind.Organization
                ? await EraseOrganizationAsync(erasure, stop)
                : await EraseEventsAsync(erasure, stop);
            Interlocked.Exchange(ref _turn, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }

        return hasMoved;
    }

    private async Task<bool> EraseEventsAsync(Erasure erasure, CancellationToken stop)
    {
        var done = erasure;
        if (!erasure.IsJournalErased)
        {
            (var moved, var isLast) = await EraseChunkAsync(erasure, stop);
            if (moved is null || !isLast) return moved is not null;
            if (!moved.IsDryRun && !await EraseFromJournalAsync(moved, stop)) return false;
            done = moved;
            Failpoint.Pass(Failpoint.ErasureNoted);
            here?.JournalErased(erasure.Id);
        }

        done = done with { IsJournalErased = !done.IsDryRun, FinishedAt = Time.GetUtcNow() };
        if (!await _pause.TryAsync(done.Id, token => store.TryFinishAsync(done, token), stop)) return false;
        Failpoint.Pass(Failpoint.ErasureFinished);
        _isPurgeOwed |= done.IsDryRun;
        Log.Finished(logger, done.Id, done.Erased, done.Matched);
        return true;
    }

    /// <summary>The erasure after its next events, null when somebody else has moved it; and whether those were the last.</summary>
    private async Task<(Erasure? Moved, bool IsLast)> EraseChunkAsync(Erasure erasure, CancellationToken stop)
    {
        var (chunk, isLast) = await new ErasureScan(store, ChunkSize).NextAsync(erasure, stop);
        var matched = chunk.Ids;
        if (matched.Count > 0 && !erasure.IsDryRun) await dispatcher.ErasingAsync(erasure.OrganizationNo, matched);
        Failpoint.Pass(Failpoint.ErasureSelected);
        var moved = erasure with { Cursor = chunk.Cursor, Matched = erasure.Matched + matched.Count };
        var journalFrom = shardNow()?.Journal.FirstHeld ?? default;
        here?.Moving(erasure.Id, erasure.Cursor, moved.Cursor);
        var done = await store.EraseAsync(erasure, moved, erasure.IsDryRun ? [] : matched, journalFrom, stop);
        if (done is null) here?.Forget(erasure.Id);
        Failpoint.Pass(Failpoint.ErasureRemoved);
        return (done, isLast);
    }

    /// <summary>What the journal still holds of the organization's erased events, of this erasure and of former ones.</summary>
    private async Task<bool> EraseFromJournalAsync(Erasure erasure, CancellationToken stop)
    {
        var no = erasure.OrganizationNo;
        var selection = ErasureSelection.Read(erasure.Selection);
        refused.Erase(
            no, (id, payload) => selection.EventIds is { } ids ? ids.Contains(id) : id <= erasure.Through && selection.Matches(payload));
        var held = await store.ReadInJournalAsync(no, stop);
        if (held.Count == 0) return true;
        if (shardNow() is not { } shard || !await shard.TryEraseAsync(ErasedFrames.Of(held), JournalWait, stop)) return false;
        Failpoint.Pass(Failpoint.ErasureJournaled);
        await store.ClearInJournalAsync(no, stop);
        return true;
    }

    private Task<bool> TryPurgeAsync(Guid erasure, CancellationToken stop) => _pause.TryAsync(erasure, store.TryPurgeAsync, stop);

    /// <summary>
    /// Stored first is what was on its way when its keys ended; the journal goes before the last row, which says that there is work.
    /// </summary>
    private async Task<bool> EraseOrganizationAsync(Erasure erasure, CancellationToken stop)
    {
        var no = erasure.OrganizationNo;
        if (shardNow() is not { } shard) return false;
        var organization = accounts.FindByNo(no);
        if (organization is not null && !await shard.WaitStoredAsync(organization, stop)) return false;
        foreach (var endpoint in dispatcher.EndpointsOf(no)) await dispatcher.RemoveAsync(no, endpoint.Id, stop);
        dispatcher.Gone.AddThrough(no, new EventId(ulong.MaxValue, ulong.MaxValue));
        var (events, isLast) = await store.EraseOrganizationRowsAsync(no, ChunkSize, stop);
        var moved = erasure with { Matched = erasure.Matched + events };
        if (events > 0) await store.EraseAsync(erasure, moved, [], default, stop);
        if (!isLast) return true;
        refused.Erase(no, static (_, _) => true);
        if (!await shard.TryEraseAsync(ErasedFrames.OfOrganization(no), JournalWait, stop)) return false;
        if (!await TryPurgeAsync(erasure.Id, stop)) return false;
        await store.EndOrganizationAsync(no, stop);
        accounts.Remove(no);
        _isPurgeOwed = !await TryPurgeAsync(erasure.Id, stop);
        Log.Finished(logger, erasure.Id, moved.Matched, moved.Matched);
        return true;
    }

    /// <inheritdoc/>
    protected override void LogNotDone(Exception? unexpected, string reason, TimeSpan wait) =>
        Log.NotDone(logger, unexpected, reason, wait);

    private static partial class Log
    {
        [LoggerMessage(LogEvents.ErasureRunnerFinished, LogLevel.Information,
            "Erasure {Erasure} is done: {Erased} of {Matched} matching events erased")]
        public static partial void Finished(ILogger logger, Guid erasure, long erased, long matched);

        [LoggerMessage(LogEvents.ErasureRunnerNotDone, LogLevel.Warning,
            "Erasures cannot go on ({Reason}); they are tried again in {Wait}")]
        public static partial void NotDone(ILogger logger, Exception? exception, string reason, TimeSpan wait);
    }
}
