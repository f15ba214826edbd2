using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Core.Storing;

/// <summary>Called after each commit with the organizations that got events; must be cheap and must not block.</summary>
internal delegate void EventsStored(ReadOnlySpan<int> organizationNos);

/// <summary>
/// Takes the journal into the store, in order, one transaction a batch, the checkpoint in the same transaction. A store that is away is
/// tried again with a growing pause and one log line a
/// step; whether a commit whose answer was lost has happened is told by the checkpoint at the next try. A row that the store refuses is
/// found by halving and set aside with the reason, in the store's quarantine or, if that refuses it too, in a file; the others go on.
/// </summary>
internal sealed partial class StoreWriter : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // A missed wake-up costs at most this.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly IJournal _journal;
    private readonly IEventStore _store;
    private readonly ShardClaim _claim;
    private readonly RefusedEvents _refused;
    private readonly JournalBound _bound;
    private readonly EventsStored _notify;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JournalBatch _batch = new();
    private readonly HashSet<int> _organizations = [];
    private readonly CancellationTokenSource _stop = new();
    private int[] _organizationNos = new int[64];
    private Checkpoint _checkpoint;
    private long _storedEvents;
    private long _storingSince;
    private readonly Action<IReadOnlyList<LateErased>> _erasedLate;
    private bool _hasBatch;
    private bool _isChecked;
    private int _read;
    private int _next;

    /// <summary>Creates it; <see cref="Start"/> runs it.</summary>
    public StoreWriter(IJournal journal, ShardClaim claim, RefusedEvents refused, JournalBound bound, ShardParts parts)
    {
        (_journal, _store, _claim, _refused, _bound) = (journal, parts.Store, claim, refused, bound);
        (_notify, _time, _logger, _erasedLate) = (parts.Notify, parts.Time, parts.Logger, parts.ErasedLate);
        _checkpoint = claim.StoredThrough;
        Stored.Advance(_checkpoint.Id.High);
    }

    /// <summary>Position up to which events are committed.</summary>
    public Watermark Stored { get; } = new();

    /// <summary>Events committed since the start.</summary>
    public long StoredEvents => Volatile.Read(ref _storedEvents);

    /// <summary>Rows that the store refused and that were set aside since the start.</summary>
    public long SetAside { get; private set; }

    /// <summary>Of those, the ones that the store's quarantine refused too and that are in files of the data directory.</summary>
    public long KeptInFiles { get; private set; }

    /// <summary>Why nothing is stored at the moment, in words; null when all is well.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Whether another server has taken the shard over: nothing is stored any more by this one.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Unix milliseconds at which the oldest event of the batch in work was accepted; 0 = none in work.</summary>
    public long StoringSince => Volatile.Read(ref _storingSince);

    /// <summary>Ends after <see cref="Stop"/>, or when fenced.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Called when the shard turns out to be another server's, before anybody is told.</summary>
    public Action? Fenced { get; init; }

    /// <summary>
    /// The last event that a former process left unstored. Up to there, what was erased meanwhile is looked for before it is stored: another
    /// server may have had the shard.
    /// </summary>
    public EventId LeftThrough { get; init; }

    /// <summary>Starts storing.</summary>
    public void Start(ILoopHost host) => Completion = host.Run(RunAsync);

    /// <summary>Stores what can be read now, then ends; gives up at once when the store is away (the journal keeps the rest).</summary>
    public void Stop()
    {
        _stop.Cancel();
        _journal.Readable.Set();
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                if (!await HasBatchAsync()) return;
                if (!_isChecked) await DropErasedAsync();
                await StoreRangeAsync(_next, _batch.Count - _next);
                Finish();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (StoreException error) when (error.Failure == StoreFailure.Fenced)
            {
                IsFenced = true;
                Trouble = error.Message;
                Fenced?.Invoke();
                Stored.Fail();
                Log.Fenced(_logger, error.Message);
                return;
            }
            catch (Exception error)
            {
                // A fault of ours, of the disk or of the schema: loud, but never the end of the loop; the batch goes on from its first
                // event that is not stored.
                var trouble = $"Storing failed: {error.Message}";
                if (Trouble != trouble) Log.Fault(_logger, error);
                Trouble = trouble;
                if (_stop.IsCancellationRequested) return;
                await Task.WhenAny(Task.Delay(LongestPause, _time, _stop.Token));
            }
        }
    }

    /// <summary>Waits for events to store; false when it is to stop and there are none left.</summary>
    private async ValueTask<bool> HasBatchAsync()
    {
        while (!_hasBatch)
        {
            _next = 0;
            _hasBatch = _journal.TryRead(_batch);
            (_isChecked, _read) = (_batch.Count == 0 || _batch.Events.Span[0].Id > LeftThrough, _batch.Count);
            if (_hasBatch) break;
            if (_stop.IsCancellationRequested) return false;
            await _journal.Readable.WaitAsync(LookAgain, _time);
        }

        return true;
    }

    private void Finish()
    {
        _hasBatch = false;
        Volatile.Write(ref _storingSince, 0);
        Trouble = null;
        _bound.Remove(_read, _batch.Bytes);
        Failpoint.Pass(Failpoint.StoreTrimming);
        _journal.Trim();
    }

    /// <summary>Takes out of the batch what was erased before it could be stored, once that is noted.</summary>
    private async Task DropErasedAsync()
    {
        IReadOnlyList<LateErased> erased = [];
        await WithRetriesAsync(async () =>
        {
            erased = await _store.FindErasedAsync(_batch.Events, CancellationToken.None);
            if (erased.Count > 0) await _store.NoteErasedAsync(_claim.JournalId, erased, CancellationToken.None);
        });
        _isChecked = true;
        if (erased.Count == 0) return;
        _batch.Remove(erased.Select(static one => one.Event.Id).ToHashSet());
        _erasedLate(erased);
        Log.ErasedLate(_logger, erased.Count);
    }

    private async Task StoreRangeAsync(int start, int count)
    {
        var next = _batch.CheckpointBehind(start + count);
        var events = _batch.Events.Slice(start, count);
        Volatile.Write(ref _storingSince, (count > 0 ? events.Span[0].Id : next.Id).UnixMilliseconds);
        try
        {
            Failpoint.Pass(Failpoint.StoreAppending);
            await WithRetriesAsync(() => AppendAsync(next, events));
            Failpoint.Pass(Failpoint.StoreCommitted);
            Committed(next, events.Span, start + count);
        }
        catch (StoreException error) when (error.Failure == StoreFailure.RowRefused && count > 0)
        {
            if (count > 1)
            {
                await StoreRangeAsync(start, count / 2);
                await StoreRangeAsync(start + (count / 2), count - (count / 2));
                return;
            }

            await SetAsideAsync(next, events.Span[0], error);
            Failpoint.Pass(Failpoint.StoreQuarantined);
            Committed(next, [], start + 1);
        }
    }

    private async Task AppendAsync(Checkpoint next, ReadOnlyMemory<JournaledEvent> events)
    {
        using var span = Spans.StoreBatch(events.Length);
        var start = _time.GetTimestamp();
        await _store.AppendAsync(_claim, _checkpoint, next, events, CancellationToken.None);
        Timings.StoreCommit.Record(_time.GetElapsedTime(start).TotalSeconds);
        Timings.StoreBatch.Record(events.Length);
        if (events.Length > 0) Timings.StoreLag.Record(events.Span[0].Id.AgeAt(_time.GetUtcNow()).TotalSeconds);
    }

    /// <summary>
    /// Keeps a refused event in the quarantine; if that refuses it too, in a file, and only then moves the checkpoint past it. So one event
    /// neither gets lost nor holds up all that are behind it.
    /// </summary>
    private async Task SetAsideAsync(Checkpoint next, JournaledEvent refused, StoreException error)
    {
        var reason = $"{error.Code}: {error.Message}";
        try
        {
            await WithRetriesAsync(() => _store.QuarantineAsync(_claim, _checkpoint, next, refused, reason, CancellationToken.None));
            Log.SetAside(_logger, refused.Id.ToString(), error.Code, error.Message);
        }
        catch (StoreException again) when (again.Failure == StoreFailure.RowRefused)
        {
            var path = _refused.Keep(refused, $"{reason}; and the quarantine: {again.Code}: {again.Message}");
            await WithRetriesAsync(() => _store.AppendAsync(_claim, _checkpoint, next, default, CancellationToken.None));
            KeptInFiles++;
            Log.KeptInFile(_logger, refused.Id.ToString(), again.Message, path);
        }

        SetAside++;
    }

    private void Committed(Checkpoint next, ReadOnlySpan<JournaledEvent> events, int behind)
    {
        _checkpoint = next;
        _next = behind;
        Volatile.Write(ref _storedEvents, _storedEvents + events.Length);
        Stored.Advance(next.Id.High);
        Failpoint.Pass(Failpoint.StoreAdvanced);
        Notify(events);
    }

    private void Notify(ReadOnlySpan<JournaledEvent> events)
    {
        _organizations.Clear();
        foreach (ref readonly var item in events) _organizations.Add(item.OrganizationNo);
        if (_organizations.Count == 0) return;
        if (_organizationNos.Length < _organizations.Count) _organizationNos = new int[_organizations.Count * 2];
        _organizations.CopyTo(_organizationNos);
        _notify(_organizationNos.AsSpan(0, _organizations.Count));
    }

    private async Task WithRetriesAsync(Func<Task> call)
    {
        for (var pause = FirstPause; ; pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks)))
        {
            try
            {
                await call();
                if (Trouble is not null) Log.StoringAgain(_logger);
                Trouble = null;
                return;
            }
            catch (StoreException error) when (error.Failure == StoreFailure.Unavailable)
            {
                if (pause < LongestPause || Trouble is null) Log.Away(_logger, error.Message, pause.TotalSeconds);
                Trouble = error.Message;
                await Task.Delay(pause, _time, _stop.Token);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.StoreWriterAway, LogLevel.Warning,
            "Events cannot be stored now ({Reason}); trying again in {Pause} s, the journal keeps them")]
        public static partial void Away(ILogger logger, string reason, double pause);

        [LoggerMessage(LogEvents.StoreWriterStoringAgain, LogLevel.Information, "Events are stored again")]
        public static partial void StoringAgain(ILogger logger);

        [LoggerMessage(
            LogEvents.StoreWriterSetAside, LogLevel.Error,
            "The store refused event {Event} ({Code}: {Reason}); it was set aside in quarantine")]
        public static partial void SetAside(ILogger logger, string @event, string? code, string reason);

        [LoggerMessage(LogEvents.StoreWriterKeptInFile, LogLevel.Critical,
            "The store refused event {Event}, and so did its quarantine ({Reason}); it is kept in {Path}")]
        public static partial void KeptInFile(ILogger logger, string @event, string reason, string path);

        [LoggerMessage(
            LogEvents.StoreWriterFenced, LogLevel.Critical,
            "{Reason} This server stores nothing any more; restart it to take the shard back")]
        public static partial void Fenced(ILogger logger, string reason);

        [LoggerMessage(
            LogEvents.StoreWriterErasedLate, LogLevel.Information,
            "{Count} events of the journal were erased before they could be stored; they are not stored any more")]
        public static partial void ErasedLate(ILogger logger, int count);

        [LoggerMessage(LogEvents.StoreWriterFault, LogLevel.Error, "Storing met a fault; trying again")]
        public static partial void Fault(ILogger logger, Exception error);
    }
}
