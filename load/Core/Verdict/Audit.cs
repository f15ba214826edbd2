using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>
/// Holds what a client was told against what the server has: stored events = accepted events plus those whose answer never came, each
/// exactly once, in ascending order and byte for byte; a 409 names the event that is stored for its dedup id. What the server itself tells
/// is counted apart. For each event of the ledger it keeps some 40 bytes.
/// </summary>
/// <remarks>Steps: <see cref="AddLedger"/>, then <see cref="AddStored"/> for each event of the inbox, then <see cref="Finish"/>.</remarks>
internal sealed class Audit(EventSource source, Ledger ledger, AuditSettings settings)
{
    private readonly AuditReport _report = new();
    private readonly List<EventId> _ids = [];
    private readonly List<int> _contents = [];
    private readonly HashSet<EventId> _operational = [];
    private Known[] _events = [];
    private EventId? _last;

    /// <summary>Runs all steps.</summary>
    /// <param name="source">What the ledger's contents are.</param>
    /// <param name="ledger">What was sent and answered; complete.</param>
    /// <param name="inbox">All events stored, in the order listed.</param>
    /// <param name="deliveries">The receiver's log, or null if deliveries are not audited.</param>
    /// <param name="settings">What is tolerated.</param>
    public static async Task<AuditReport> RunAsync(
        EventSource source,
        Ledger ledger,
        IAsyncEnumerable<StoredEvent> inbox,
        IEnumerable<Delivery>? deliveries = null,
        AuditSettings? settings = null)
    {
        var audit = new Audit(source, ledger, settings ?? new AuditSettings());
        audit.AddLedger();
        await foreach (var stored in inbox) audit.AddStored(stored);
        return audit.Finish(deliveries);
    }

    /// <summary>Step 1: what the client knows of each event.</summary>
    public void AddLedger()
    {
        _events = new Known[ledger.Entries.Select(entry => entry.Content + 1).DefaultIfEmpty().Max()];
        foreach (var entry in ledger.Entries)
        {
            ref var known = ref _events[entry.Content];
            known.Sent = true;
            switch (entry.Status)
            {
                case 0:
                    _report.Unanswered++;
                    known.MayBeStored = true;
                    break;
                case 202:
                    _report.Accepted++;
                    AddAccepted(ref known, entry);
                    break;
                case 409:
                    _report.Duplicates++;
                    break;
                default:
                    _report.Refused++;
                    known.MayBeStored |= entry.Status >= 500 && settings.ServerErrorsMayBeStored;
                    break;
            }
        }
    }

    /// <summary>Step 2: one event of the inbox.</summary>
    public void AddStored(StoredEvent stored)
    {
        if (stored.Id <= _last) Report(Violation.OutOfOrder, -1, stored.Id);
        _last = stored.Id;
        if (stored.IsOperational)
        {
            _report.Operational++;
            _operational.Add(stored.Id);
            return;
        }

        _report.Stored++;
        if (!source.TryFindContent(stored.Payload.Span, out var content) || content >= _events.Length || !_events[content].Sent)
        {
            Report(Violation.NeverSent, -1, stored.Id);
            content = -1;
        }
        else
        {
            Compare(ref _events[content], content, stored);
        }

        _ids.Add(stored.Id);
        _contents.Add((int)content);
    }

    /// <summary>Steps 3 and 4: what is missing, what the 409s named, and what was delivered.</summary>
    public AuditReport Finish(IEnumerable<Delivery>? deliveries)
    {
        for (var content = 0; content < _events.Length; content++)
        {
            ref readonly var known = ref _events[content];
            if (known.Accepted && known.StoredId.IsZero) Report(Violation.Lost, content, known.AnsweredId);
            if (!known.Accepted && !known.StoredId.IsZero) _report.StoredUnanswered++;
        }

        foreach (var entry in ledger.Entries)
        {
            if (entry.Status == 409 && (entry.Id.IsZero || entry.Id != _events[entry.Content].StoredId))
                Report(Violation.DuplicateNamesOther, entry.Content, entry.Id);
        }

        if (deliveries is not null) CheckDeliveries(deliveries);
        return _report;
    }

    private void AddAccepted(ref Known known, in LedgerEntry entry)
    {
        if (entry.Id.IsZero) Report(Violation.AnswerWithoutId, entry.Content, entry.Id);
        if (known.Accepted) Report(Violation.AcceptedTwice, entry.Content, entry.Id);
        known.Accepted = true;
        known.AnsweredId = entry.Id;
    }

    private void Compare(ref Known known, long content, in StoredEvent stored)
    {
        if (!known.StoredId.IsZero) Report(Violation.StoredTwice, content, stored.Id);
        else if (known.Accepted && known.AnsweredId != stored.Id) Report(Violation.WrongId, content, stored.Id);
        else if (!known.Accepted && !known.MayBeStored) Report(Violation.StoredThoughRefused, content, stored.Id);
        if (known.StoredId.IsZero) known.StoredId = stored.Id;

        if (!source.PayloadEquals(content, stored.Payload.Span)) Report(Violation.PayloadChanged, content, stored.Id);
        if (stored.DedupId != source.DedupIdOf(content)) Report(Violation.DedupIdChanged, content, stored.Id);
    }

    private void CheckDeliveries(IEnumerable<Delivery> deliveries)
    {
        // After OutOfOrder the list is not sorted, and a search in it would accuse the innocent.
        var (ids, contents) = (_ids.ToArray(), _contents.ToArray());
        Array.Sort(ids, contents);
        var delivered = new bool[ids.Length];
        _report.Deliveries = 0;
        foreach (var delivery in deliveries)
        {
            if (!delivery.Signed) Report(Violation.BadSignature, -1, delivery.EventId);
            if (_operational.Contains(delivery.EventId))
            {
                _report.OperationalDeliveries++;
                if (delivery.WebhookId != delivery.EventId) Report(Violation.DeliveredChanged, -1, delivery.EventId);
                continue;
            }

            _report.Deliveries++;
            var index = Array.BinarySearch(ids, delivery.EventId);
            while (index > 0 && ids[index] == ids[index - 1]) index--; // Of an id listed twice, the first stands for both.
            CheckDelivery(delivery, index, contents, delivered);
        }

        for (var i = 0; settings.AllMustBeDelivered && i < ids.Length; i++)
        {
            if (!delivered[i] && (i == 0 || ids[i] != ids[i - 1])) Report(Violation.NotDelivered, contents[i], ids[i]);
        }
    }

    private void CheckDelivery(in Delivery delivery, int index, int[] contents, bool[] delivered)
    {
        if (index < 0)
        {
            Report(Violation.DeliveredUnknown, -1, delivery.EventId);
            return;
        }

        delivered[index] |= delivery.Status is >= 200 and < 300;
        var content = contents[index];
        if (delivery.WebhookId != delivery.EventId || (content >= 0 && delivery.DataHash != source.PayloadHashOf(content)))
            Report(Violation.DeliveredChanged, content, delivery.EventId);
    }

    private void Report(Violation kind, long content, EventId id) => _report.Add(new Offender(kind, content, id));

    private struct Known
    {
        public EventId AnsweredId;
        public EventId StoredId;
        public bool Sent;
        public bool Accepted;
        public bool MayBeStored;
    }
}
