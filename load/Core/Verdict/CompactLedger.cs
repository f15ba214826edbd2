using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>
/// The same account for a run that lasts: 9 bytes a request, all of them taken and touched beforehand, so that the generator's memory does
/// not grow; 36 million requests take 324 MB. Of an id it keeps 32 mixed bits, so a wrong one passes once in four billion. Deliveries are
/// held against what was sent as they come.
/// </summary>
internal sealed class CompactLedger : IRequestLedger
{
    private readonly EventSource _source;
    private readonly Told[] _told;
    private readonly uint[] _answered;
    private readonly uint[] _delivered;
    private readonly AuditReport _report = new() { Deliveries = 0 };
    private readonly Lock _lock = new();
    private readonly Dictionary<EventId, long> _unknown = []; // Deliveries of what was not sent; the inbox tells whose events they are.
    private long _events;

    /// <summary>Takes the memory for so many requests.</summary>
    public CompactLedger(EventSource source, long capacity)
    {
        _source = source;
        (_told, _answered, _delivered) = (new Told[capacity], new uint[capacity], new uint[capacity]);
        Array.Fill(_told, Told.NotSent);
        Array.Fill(_answered, 0u);
        Array.Fill(_delivered, 0u);
    }

    /// <summary>What a request was told, in a byte.</summary>
    internal enum Told : byte
    {
        /// <summary>It was not sent.</summary>
        NotSent,

        /// <summary>No answer has come.</summary>
        Nothing,

        /// <summary>202.</summary>
        Accepted,

        /// <summary>409.</summary>
        Duplicate,

        /// <summary>Anything else.</summary>
        Refused,
    }

    /// <summary>Different events delivered.</summary>
    public long Delivered => Volatile.Read(ref _events);

    /// <summary>Requests told so.</summary>
    public long Count(Told told) => _told.LongCount(each => each == told);

    /// <inheritdoc/>
    public void NoteSent(long number, long content, long nanoseconds) => _told[number] = Told.Nothing;

    /// <inheritdoc/>
    public void NoteAnswer(long number, in Answer answer)
    {
        _answered[number] = Mix(answer.Id);
        _told[number] = answer.Status switch
        {
            0 => Told.Nothing,
            202 => Told.Accepted,
            409 => Told.Duplicate,
            _ => Told.Refused,
        };
    }

    /// <summary>Notes a webhook; for one thread.</summary>
    public void NoteDelivery(in Delivery delivery, ReadOnlySpan<byte> data)
    {
        if (!delivery.Signed) Report(Violation.BadSignature, -1, delivery.EventId);
        if (!_source.TryFindContent(data, out var content) || content >= _told.Length || _told[content] == Told.NotSent)
        {
            if (delivery.WebhookId != delivery.EventId) Report(Violation.DeliveredChanged, -1, delivery.EventId);
            lock (_lock) _unknown[delivery.EventId] = _unknown.GetValueOrDefault(delivery.EventId) + 1;
            return;
        }

        lock (_lock) _report.Deliveries++;
        var (mixed, before) = (Mix(delivery.EventId), _delivered[content]);
        var isChanged = delivery.WebhookId != delivery.EventId || !_source.PayloadEquals(content, data) || (before != 0 && before != mixed);
        if (isChanged) Report(Violation.DeliveredChanged, content, delivery.EventId);
        if (before != 0) return;
        _delivered[content] = mixed;
        Volatile.Write(ref _events, _events + 1);
    }

    /// <summary>Holds everything against the inbox, when the run is over: the same rules as <see cref="Audit"/>.</summary>
    public async Task<AuditReport> AuditAsync(IAsyncEnumerable<StoredEvent> inbox)
    {
        var known = AddRequests();
        var stored = new uint[_told.Length];
        EventId? last = null;
        await foreach (var item in inbox)
        {
            if (item.Id <= last) Report(Violation.OutOfOrder, -1, item.Id);
            last = item.Id;
            if (item.IsOperational) AddOperational(item.Id);
            else AddStored(item, known, stored);
        }

        foreach (var (id, times) in _unknown)
        {
            _report.Deliveries += times;
            Report(Violation.DeliveredUnknown, -1, id);
        }

        Finish(known, stored);
        return _report;
    }

    private Known[] AddRequests()
    {
        var known = new Known[_told.Length];
        for (long number = 0; number < _told.Length; number++)
        {
            if (_told[number] == Told.NotSent) continue;
            ref var content = ref known[_source.ContentOf(number)];
            switch (_told[number])
            {
                case Told.Nothing:
                    _report.Unanswered++;
                    content.MayBeStored = true;
                    break;
                case Told.Accepted:
                    _report.Accepted++;
                    if (content.Accepted != 0) Report(Violation.AcceptedTwice, _source.ContentOf(number), default);
                    content.Accepted = _answered[number];
                    if (content.Accepted == 0) Report(Violation.AnswerWithoutId, number, default);
                    break;
                case Told.Duplicate:
                    _report.Duplicates++;
                    break;
                default:
                    _report.Refused++;
                    break;
            }
        }

        return known;
    }

    private void AddOperational(EventId id)
    {
        _report.Operational++;
        if (_unknown.Remove(id, out var times)) _report.OperationalDeliveries += times;
    }

    private void AddStored(in StoredEvent item, Known[] known, uint[] stored)
    {
        _report.Stored++;
        if (!_source.TryFindContent(item.Payload.Span, out var content) || content >= known.Length || _told[content] == Told.NotSent)
        {
            Report(Violation.NeverSent, -1, item.Id);
            return;
        }

        var mixed = Mix(item.Id);
        if (stored[content] != 0) Report(Violation.StoredTwice, content, item.Id);
        else if (known[content].Accepted != 0 && known[content].Accepted != mixed) Report(Violation.WrongId, content, item.Id);
        else if (known[content].Accepted == 0 && !known[content].MayBeStored) Report(Violation.StoredThoughRefused, content, item.Id);
        if (!_source.PayloadEquals(content, item.Payload.Span)) Report(Violation.PayloadChanged, content, item.Id);
        if (item.DedupId != _source.DedupIdOf(content)) Report(Violation.DedupIdChanged, content, item.Id);
        if (stored[content] == 0) stored[content] = mixed;
    }

    private void Finish(Known[] known, uint[] stored)
    {
        for (long number = 0; number < stored.Length; number++)
        {
            if (known[number].Accepted != 0 && stored[number] == 0) Report(Violation.Lost, number, default);
            if (known[number].Accepted == 0 && stored[number] != 0) _report.StoredUnanswered++;
            if (stored[number] != 0 && _delivered[number] == 0) Report(Violation.NotDelivered, number, default);
            else if (stored[number] == 0 && _delivered[number] != 0) Report(Violation.DeliveredUnknown, number, default);
            else if (stored[number] != _delivered[number]) Report(Violation.DeliveredChanged, number, default);
            if (_told[number] == Told.Duplicate && _answered[number] != stored[_source.ContentOf(number)])
                Report(Violation.DuplicateNamesOther, number, default);
        }
    }

    // 0 stands for none, so no id mixes to it.
    private static uint Mix(EventId id)
    {
        if (id.IsZero) return 0;
        var mixed = (id.High * 0x9E37_79B9_7F4A_7C15) ^ (id.Low * 0xD6E8_FEB8_6659_FD93);
        return Math.Max(1, (uint)(mixed >> 32) ^ (uint)mixed);
    }

    private void Report(Violation kind, long content, EventId id)
    {
        lock (_lock) _report.Add(new Offender(kind, content, id));
    }

    private struct Known
    {
        public uint Accepted;
        public bool MayBeStored;
    }
}
