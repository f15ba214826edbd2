using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// The one place where order is made: the Channel's only reader. For each submission it decides whether it is a duplicate, issues the id,
/// keeps the frame, publishes the dedup key,
/// and gives the receipt or hands it to the watermark it has to wait for.
/// <para>
/// The Channel allows synchronous continuations: while the sequencer is idle, the thread that writes a submission runs it on the spot, and
/// the receipt is there when the
/// write returns. A busy one drains what others write in turns of <see cref="TurnLength"/>, then goes on on the pool, so no request pays
/// for more than one turn.
/// </para>
/// </summary>
internal sealed partial class Sequencer
{
    // One decision costs about half a microsecond: a turn is some 30 µs.
    private const int TurnLength = 64;
    private static readonly TimeSpan SpaceWait = TimeSpan.FromSeconds(1);

    private readonly Channel<Submission> _channel = Channel.CreateUnbounded<Submission>(new UnboundedChannelOptions
    {
        SingleReader = true,
        AllowSynchronousContinuations = true,
    });

    private readonly IJournal _journal;
    private readonly DedupWindow _dedup;
    private readonly EventIdGenerator _ids;
    private readonly JournalBound _bound;
    private readonly IngestOptions _options;
    private readonly Watermark? _ackMark;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _queuedBytes;
    private long _accepted;
    private ulong _journaled;
    private bool _stalled;
    private string? _refusal;

    /// <summary>
    /// Creates it. <paramref name="stored"/> is the store writer's watermark; <paramref name="lastIssued"/> is the highest id that the
    /// journal or the store knows.
    /// </summary>
    public Sequencer(
        IJournal journal,
        DedupWindow dedup,
        EventId lastIssued,
        JournalBound bound,
        Watermark stored,
        IngestOptions options,
        TimeProvider time,
        ILogger logger)
    {
        (_journal, _dedup, _bound, _options, _time, _logger) = (journal, dedup, bound, options, time, logger);
        _ids = new EventIdGenerator(lastIssued);
        _ackMark = options.AckWhen switch { AckWhen.Synced => journal.Synced, AckWhen.Stored => stored, _ => null };
    }

    /// <summary>Whether webhooks wait for an organization's events; asked for each event, so cheap.</summary>
    public Func<int, bool> IsAwaited { get; init; } = static _ => false;

    /// <summary>Position of the last event kept; 0 = none in this process.</summary>
    public ulong Journaled => Volatile.Read(ref _journaled);

    /// <summary>Events accepted since the start.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>Bytes of submissions that wait.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Ends when <see cref="Complete"/> was called and every submission has its receipt.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Starts reading.</summary>
    public void Start(ILoopHost host) => Completion = host.Run(RunAsync);

    /// <summary>Refuses everything from now on, with 503 and this reason; null = takes events again.</summary>
    public void Refuse(string? reason) => Volatile.Write(ref _refusal, reason);

    /// <summary>Takes no more submissions.</summary>
    public void Complete() => _channel.Writer.TryComplete();

    /// <summary>
    /// Hands a submission over; its receipt comes by <see cref="Submission.WaitAsync"/>. Refused at once when too much waits or the
    /// sequencer has ended.
    /// </summary>
    public void Submit(Submission submission)
    {
        var bytes = submission.PayloadBytes;
        if (Interlocked.Add(ref _queuedBytes, bytes) > _options.QueueBytes)
        {
            Interlocked.Add(ref _queuedBytes, -bytes);
            submission.Complete(Receipt.QueueFull);
        }
        else if (!_channel.Writer.TryWrite(submission))
        {
            Interlocked.Add(ref _queuedBytes, -bytes);
            submission.Complete(Receipt.Unavailable);
        }
    }

    private async Task RunAsync()
    {
        // No cancellation token: a cancelled read can lose an item (dotnet/runtime#132094). The Channel is completed instead.
        while (await _channel.Reader.WaitToReadAsync())
        {
            var turn = 0;
            while (_channel.Reader.TryRead(out var submission))
            {
                Interlocked.Add(ref _queuedBytes, -submission.PayloadBytes);
                turn += submission.Batch?.Count ?? 1; // its receipt may hand it on to the next
                if (TryDecide(submission)) _stalled = false;
                else await DecideWhenThereIsRoomAsync(submission);
                if (turn < TurnLength) continue;
                turn = 0;
                await Task.Yield();
            }
        }
    }

    /// <summary>False when the ring has no room; nothing has happened then.</summary>
    private bool TryDecide(Submission submission)
    {
        try
        {
            return Decide(submission);
        }
        catch (Exception error)
        {
            // The loop must outlive any fault: whether this event was kept is unknown, the next ones are decided as usual.
            Log.Fault(_logger, error);
            submission.TryComplete(Receipt.Unknown);
            return true;
        }
    }

    /// <summary>
    /// 1. Refuse when the journal, the bound or the server does not take events. 2. Duplicate? 3. Issue the id and keep the frame. 4.
    /// Publish: dedup key, the organization's and
    /// the shard's last position. 5. Receipt, now or when the watermark is there.
    /// </summary>
    private bool Decide(Submission submission)
    {
        if (submission.Errand is { } errand)
        {
            errand();
            submission.Complete(Receipt.Unknown);
            return true;
        }

        // 1.
        if (Volatile.Read(ref _refusal) is not null || submission.Organization.IsClosed
            || _journal.State != JournalState.Running || _ackMark is { HasFailed: true })
        {
            submission.Complete(Receipt.Unavailable);
            return true;
        }

        if (_bound.IsFull)
        {
            submission.Complete(Receipt.QueueFull);
            return true;
        }

        // 2.
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        if (submission.Batch is { } batch) return DecideBatch(submission, batch, now);
        var hasDedupId = submission.Event.DedupId.Length > 0;
        if (hasDedupId && IsDecidedByDedup(submission, now)) return true;

        // 3. and 4.
        if (!TryKeep(submission.Organization, submission.Event, submission.DedupKey, now, out var receipt)) return false;

        // 5.
        Answer(submission, receipt);
        return true;
    }

    /// <summary>Steps 3 and 4: false when there is no room; nothing has happened then.</summary>
    private bool TryKeep(Organization organization, in JournaledEvent submitted, DedupKey key, long now, out Receipt receipt)
    {
        // Never before its organization was made, also when the clock was set back since: the dedup window takes it for proof that an
        // organization has no event from before that time.
        var item = submitted with { Id = _ids.Next(Math.Max(now, organization.CreatedAt.ToUnixTimeMilliseconds())) };
        receipt = new Receipt(ReceiptKind.Accepted, item.Id, item.PayloadHash);
        Failpoint.Pass(Failpoint.SequencerIssued);
        if (!_journal.TryAppend(item)) return false;
        Failpoint.Pass(Failpoint.SequencerAppended);
        if (IsAwaited(item.OrganizationNo)) _journal.Hasten();

        if (!item.DedupId.IsEmpty) _dedup.Publish(key, item.Id, item.PayloadHash);
        Failpoint.Pass(Failpoint.SequencerPublished);
        organization.NoteAccepted(item.Id.High);
        Volatile.Write(ref _journaled, item.Id.High);
        Volatile.Write(ref _accepted, _accepted + 1);
        _bound.Add(1, Frame.LengthOf(item));
        Failpoint.Pass(Failpoint.SequencerNoted);
        return true;
    }

    /// <summary>
    /// Steps 2 to 5 for a batch. What is a duplicate, and whether there is room for the rest, is known before the first event is kept.
    /// Twins in the batch are duplicates of the first of them, which is published by the time of the second.
    /// </summary>
    private bool DecideBatch(Submission submission, EventBatch batch, long now)
    {
        var organization = submission.Organization;
        if (!batch.TryFindDuplicates(_dedup, organization.CreatedAt.ToUnixTimeMilliseconds(), now, submission.StoreAskedAt))
        {
            submission.Complete(Receipt.AskStore);
            return true;
        }

        var (bytes, longest) = batch.Measure();
        if (!_journal.HasRoomFor(bytes, longest)) return false;
        var highest = default(EventId);
        foreach (ref var item in batch.Items)
        {
            if (!item.IsDecided && (item.Event.DedupId.IsEmpty || !item.TryFindDuplicate(_dedup, now)))
            {
                if (!TryKeep(organization, item.Event, item.DedupKey, now, out var receipt))
                    throw new InvalidOperationException("The journal has no room for an event of a batch that it had room for.");
                item.Decide(receipt);
            }

            if (item.Receipt.Id > highest) highest = item.Receipt.Id;
        }

        Answer(submission, new Receipt(ReceiptKind.Accepted, highest, 0));
        return true;
    }

    private bool IsDecidedByDedup(Submission submission, long now)
    {
        if (_dedup.TryFind(submission.DedupKey, now, out var first))
        {
            Answer(submission, new Receipt(ReceiptKind.Duplicate, first.Id, first.PayloadHash));
            return true;
        }

        // A miss is proof only while the window knows all of the organization's last 24 hours, or the store was asked and the window has
        // lost nothing since.
        if (_dedup.IsMissProof(submission.DedupKey, submission.Organization.CreatedAt.ToUnixTimeMilliseconds(), now)) return false;
        if (submission.StoreAskedAt == _dedup.EvictionVersion) return false;
        submission.Complete(Receipt.AskStore);
        return true;
    }

    private void Answer(Submission submission, Receipt receipt)
    {
        submission.Decide(receipt);
        if (_ackMark is null) submission.CompleteDecided();
        else _ackMark.Wait(receipt.Id.High, _time.GetTimestamp(), submission);
    }

    /// <summary>The disk is slower than the events: wait for a flush, at most a second; then refuse at once until there is room.</summary>
    private async ValueTask DecideWhenThereIsRoomAsync(Submission submission)
    {
        var start = _time.GetTimestamp();
        while (true)
        {
            // In this order: a flush between the look and the wait must end the wait.
            var seen = _journal.Synced.Position;
            if (TryDecide(submission)) return;
            var left = _stalled ? TimeSpan.Zero : SpaceWait - _time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) break;
            _journal.Nudge();
            await _journal.Synced.WaitAsync(seen + 1, left, _time, CancellationToken.None);
            if (!_journal.Synced.HasFailed) continue;
            if (!TryDecide(submission)) submission.Complete(Receipt.Unavailable);
            return;
        }

        _stalled = true;
        submission.Complete(Receipt.QueueFull);
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.SequencerFault, LogLevel.Error, "The sequencer met a fault; the event's outcome is unknown, the next ones go on")]
        public static partial void Fault(ILogger logger, Exception error);
    }
}
