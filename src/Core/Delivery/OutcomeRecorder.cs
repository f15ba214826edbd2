using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Records results in batches, in one loop: a batch goes when it is full, when it has waited 10 ms, or at once when nothing is in flight
/// that could join it. While the store is away results are kept and tried again; they are never sent again because of it. Worst case held:
/// <see cref="HoldAt"/> results and what was in flight then.
/// </summary>
internal sealed partial class OutcomeRecorder(
    IDeliveryStore store,
    DeadLetterNews news,
    GoneEvents gone,
    DeliveryCounters counters,
    TimeProvider time,
    ILogger logger,
    Func<int> inFlight,
    Action<bool> hold,
    Action<DateTimeOffset> retryDue)
{
    /// <summary>Unrecorded results from which on no new try starts; they start again at half of it.</summary>
    public const int HoldAt = 10_000;

    /// <summary>
    /// Large, since a commit takes as long as the disk does, whatever is in it: 40,000 results a second at 100 ms a commit.
    /// </summary>
    public const int BatchSize = 4096;

    /// <summary>With fewer results than this a batch waits for more.</summary>
    private const int LingerBelow = 256;

    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(10);

    /// <summary>After this time a dead letter that was not taken is told again.</summary>
    private static readonly TimeSpan TellAgainAfter = TimeSpan.FromSeconds(1);

    // Not SingleReader: that kind of channel cannot count what is in it.
    private readonly Channel<Item> _items = Channel.CreateUnbounded<Item>();
    private readonly CancellationTokenSource _giveUp = new();
    private int _unrecorded;
    private bool _held;
    private volatile bool _failing;
    private TaskCompletionSource? _batchDone;

    /// <summary>Results that are not in the store yet.</summary>
    public int Unrecorded => Volatile.Read(ref _unrecorded);

    /// <summary>Whether the store has refused the last attempt to record.</summary>
    public bool IsFailing => _failing;

    /// <summary>Takes a try's result, and what to tell of it if it makes a dead letter (null = nothing). Never blocks.</summary>
    public void Add(LaneTry ended, DeliveryResult result, OperationalEvent? told)
    {
        Interlocked.Increment(ref _unrecorded);
        _items.Writer.TryWrite(new Item(ended.Lane, ended, result, told));
    }

    /// <summary>Notes that a lane's cursor moved without a result.</summary>
    public void CursorMoved(Lane lane) => _items.Writer.TryWrite(new Item(lane, Ended: null, Result: null, Told: null));

    /// <summary>
    /// Completes when the batch that is being recorded, if any, is: no failure of a lane that was removed before is recorded after that.
    /// </summary>
    public Task BatchDone
    {
        get
        {
            // The removal is seen by a batch that begins after this.
            Interlocked.MemoryBarrier();
            return Volatile.Read(ref _batchDone)?.Task ?? Task.CompletedTask;
        }
    }

    /// <summary>Ends <see cref="RunAsync"/> once everything added is recorded.</summary>
    public void Complete() => _items.Writer.TryComplete();

    /// <summary>
    /// Ends <see cref="RunAsync"/> as soon as the store refuses: what is not recorded is sent again after the next start.
    /// </summary>
    public void GiveUp() => _giveUp.Cancel();

    /// <summary>Records until completed.</summary>
    public async Task RunAsync()
    {
        var batch = new List<Item>(BatchSize);
        while (await _items.Reader.WaitToReadAsync(CancellationToken.None))
        {
            if (Unrecorded < LingerBelow && inFlight() > 0 && !_giveUp.IsCancellationRequested)
                await Task.WhenAny(Task.Delay(Linger, time, _giveUp.Token));
            while (batch.Count < BatchSize && _items.Reader.TryRead(out var item)) batch.Add(item);
            if (Unrecorded >= HoldAt) SetHeld(true);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref _batchDone, done);
            NoteGone(batch);
            await TellAsync(batch);
            await RecordAsync(batch, Cursors(batch));
            done.TrySetResult();
            batch.Clear();
            if (Unrecorded <= HoldAt / 2) SetHeld(false);
        }
    }

    /// <summary>What is gone leaves no trace. Whoever makes it so waits for <see cref="BatchDone"/> before it removes the rows.</summary>
    private void NoteGone(List<Item> batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            if (batch[i].Result is not { } result || !gone.Contains(result.OrganizationNo, result.EventId)) continue;
            batch[i] = batch[i] with { IsGone = true };
        }
    }

    /// <summary>
    /// Tells of the batch's dead letters; those that are not taken leave it, and come again. This comes before they are recorded, since
    /// nobody looks again at what is recorded: what dies in between, or is not taken before a stop, is not recorded, so it is tried and
    /// told once more after the next start.
    /// </summary>
    private async Task TellAsync(List<Item> batch)
    {
        var ends = batch.Where(static item => item is { Result.Status: Events.EventStatus.DeadLetter, IsToBeRecorded: true }).ToList();
        if (ends.Count == 0) return;
        var answers = await news.TellAsync([.. ends.Select(static item => (item.Result!, item.Told))]);
        _failing |= answers is null;
        var answerOf = new Dictionary<LaneTry, NewsAnswer>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < ends.Count; i++) answerOf[ends[i].Ended!] = answers?[i] ?? NewsAnswer.NotTaken;
        List<Item> again = [];
        for (var i = batch.Count - 1; i >= 0; i--)
        {
            if (batch[i].Ended is not { } ended || !answerOf.TryGetValue(ended, out var answer)) continue;
            if (answer == NewsAnswer.NotTaken) again.Add(batch[i]);
            if (answer == NewsAnswer.NotTaken) batch.RemoveAt(i);
            else batch[i] = batch[i] with { IsDeadLetter = answer == NewsAnswer.DeadLetter };
        }

        if (again.Count > 0) _ = AddAgainAsync(again);
    }

    private async Task AddAgainAsync(List<Item> items)
    {
        await Task.WhenAny(Task.Delay(TellAgainAfter, time, _giveUp.Token));
        foreach (var item in items) _items.Writer.TryWrite(item);
    }

    /// <summary>
    /// Finishes the batch's events in their lanes. Only now: a cursor must not be recorded before the results that it stands for.
    /// </summary>
    private static List<LaneCursor> Cursors(List<Item> batch)
    {
        var lanes = new Dictionary<Lane, EventId>();
        foreach (var item in batch) lanes[item.Lane] = item.Ended is { } ended ? item.Lane.Finish(ended) : item.Lane.Cursor;
        return [.. lanes.Select(static pair => Cursor(pair.Key, pair.Value))];

        static LaneCursor Cursor(Lane lane, EventId place) => new(lane.Endpoint.OrganizationNo, lane.Endpoint.Id, place, lane.Generation);
    }

    private async Task RecordAsync(List<Item> items, List<LaneCursor> cursors)
    {
        var batch = new DeliveryBatch([.. items.Where(static item => item.IsToBeRecorded).Select(static item => item.Result!)], cursors);
        var backoff = new Backoff(time);
        while (true)
        {
            try
            {
                Failpoint.Pass(Failpoint.DeliveryRecording);
                var isDueNow = await store.RecordAsync(batch, CancellationToken.None);
                Failpoint.Pass(Failpoint.DeliveryRecorded);
                _failing = false;
                Done(items);
                if (isDueNow) retryDue(time.GetUtcNow());
                return;
            }
            catch (StoreException exception) when (exception.Failure == StoreFailure.RowRefused)
            {
                await RecordHalvesAsync(items, cursors, exception);
                return;
            }
            catch (Exception exception)
            {
                _failing = true;
                var isNews = backoff.IsGrowing;
                var wait = backoff.Failed();
                var unexpected = exception is StoreException ? null : exception;
                if (isNews) Log.RecordFailed(logger, unexpected, batch.Results.Count, exception.Message, wait);
                if (_giveUp.IsCancellationRequested) return;
                await backoff.WaitAsync(wait, _giveUp.Token);
            }
        }
    }

    /// <summary>
    /// Finds the row that the store refuses by halving. It alone is given up; the cursors go last, when all results before them are in.
    /// </summary>
    private async Task RecordHalvesAsync(List<Item> items, List<LaneCursor> cursors, StoreException exception)
    {
        if (items.Count <= 1)
        {
            foreach (var item in items) Log.ResultRefused(logger, exception, item.Lane.Endpoint.Id, item.Ended?.Event.Id);
            Done(items);
            return;
        }

        await RecordAsync(items[..(items.Count / 2)], []);
        await RecordAsync(items[(items.Count / 2)..], []);
        await RecordAsync([], cursors);
    }

    private void Done(List<Item> items)
    {
        DateTimeOffset? due = null;
        foreach (var item in items)
        {
            var (lane, ended, result) = (item.Lane, item.Ended, item.Result);
            if (ended is null || result is null) continue;
            lane.Recorded(ended);
            if (item.IsToBeRecorded) counters.Count(result, item.IsDeadLetter);
            Interlocked.Decrement(ref _unrecorded);
            if (result.NextAttemptAt is { } next && (due is null || next < due)) due = next;
        }

        if (due is { } earliest) retryDue(earliest);
    }

    private void SetHeld(bool held)
    {
        if (_held == held) return;
        _held = held;
        hold(held);
        if (held) Log.Held(logger, Unrecorded);
    }

    /// <summary>A result, or (without one) a lane whose cursor moved.</summary>
    private readonly record struct Item(Lane Lane, LaneTry? Ended, DeliveryResult? Result, OperationalEvent? Told)
    {
        /// <summary>Whether its event is not in the store any more.</summary>
        public bool IsGone { get; init; }

        /// <summary>Whether it makes a dead letter; known once that has been told.</summary>
        public bool IsDeadLetter { get; init; }

        /// <summary>A failure at an endpoint that has been removed meanwhile is not: its retry would wait for ever.</summary>
        public bool IsToBeRecorded => Result is not null && !IsGone && (Result.Status == Events.EventStatus.Delivered || !Lane.IsRemoved);
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.OutcomeRecorderRecordFailed, Level = LogLevel.Warning,
            Message = "Cannot record {Count} webhook results ({Reason}); they are kept and tried again in {Wait}")]
        public static partial void RecordFailed(ILogger logger, Exception? exception, int count, string reason, TimeSpan wait);

        [LoggerMessage(
            EventId = LogEvents.OutcomeRecorderResultRefused, Level = LogLevel.Error,
            Message = "The store refuses the webhook result of event {EventId} at endpoint {EndpointId}; it is given up")]
        public static partial void ResultRefused(ILogger logger, Exception exception, Guid endpointId, EventId? eventId);

        [LoggerMessage(
            EventId = LogEvents.OutcomeRecorderHeld, Level = LogLevel.Warning,
            Message = "{Count} webhook results are not recorded yet; no new try starts until half of them are")]
        public static partial void Held(ILogger logger, int count);
    }
}
