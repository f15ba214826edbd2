using System.IO.Hashing;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;
using Webhook = ZapierTriggers.Load.Core.Verdict.Delivery;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>The account of a run that lasts finds what the one that keeps everything finds.</summary>
public sealed class CompactLedgerTests
{
    private static readonly EventSource Source = new(EventTemplates.Generate(50, 1), DedupMode.Unique, 1, "compact1");
    private readonly CompactLedger _ledger = new(Source, capacity: 10);

    [Fact]
    public async Task What_was_accepted_stored_and_delivered_passes()
    {
        for (var n = 0; n < 3; n++) Send(n, 202, Id(n));
        for (var n = 0; n < 3; n++) Deliver(n, Id(n));
        Deliver(1, Id(1));

        var report = await AuditAsync(Stored(0), Stored(1), Stored(2));

        Assert.True(report.Passed, string.Join('\n', report.Lines()));
        Assert.Equal((3, 3, 4, 3), (report.Accepted, report.Stored, report.Deliveries, _ledger.Delivered));
    }

    [Fact]
    public async Task Each_broken_promise_is_found()
    {
        for (var n = 0; n < 4; n++) Send(n, 202, Id(n));
        Send(4, 503, default);
        Send(5, 0, default);
        Deliver(0, Id(0));
        Deliver(1, Id(7));

        var report = await AuditAsync(Stored(0), Stored(1), Stored(2) with { Id = Id(8) }, Stored(4) with { Id = Id(9) });

        Assert.Equal(
            [Violation.Lost, Violation.WrongId, Violation.StoredThoughRefused, Violation.NotDelivered, Violation.DeliveredChanged],
            report.Counts.Keys);
        Assert.Equal((4, 1, 1), (report.Accepted, report.Refused, report.Unanswered));
    }

    [Fact]
    public async Task A_changed_payload_an_unknown_event_and_an_order_that_is_none_are_found()
    {
        Send(0, 202, Id(0));
        Send(1, 202, Id(1));
        Deliver(0, Id(0));
        Deliver(1, Id(1));
        Deliver(6, Id(6));

        var report = await AuditAsync(Stored(1), Stored(0) with { Payload = Source.PayloadOf(0)[..^1] }, Stored(6));

        Assert.Equal([Violation.NeverSent, Violation.PayloadChanged, Violation.OutOfOrder, Violation.DeliveredUnknown], report.Counts.Keys);
    }

    [Fact]
    public async Task What_the_server_itself_tells_is_counted_apart()
    {
        Send(0, 202, Id(0));
        Deliver(0, Id(0));
        _ledger.NoteDelivery(new Webhook(Id(1), Id(1), 7, Signed: true, 200), "{}"u8);
        _ledger.NoteDelivery(new Webhook(Id(1), Id(1), 7, Signed: true, 200), "{}"u8);

        var report = await AuditAsync(Stored(0), new StoredEvent(Id(1), "{}"u8.ToArray(), "zap:x:", IsOperational: true));

        Assert.True(report.Passed, string.Join('\n', report.Lines()));
        Assert.Equal((1, 1, 1, 2), (report.Stored, report.Operational, report.Deliveries, report.OperationalDeliveries));
        Assert.Equal(1, _ledger.Delivered);
    }

    [Fact]
    public async Task A_webhook_of_nothing_sent_and_nothing_told_is_found()
    {
        _ledger.NoteDelivery(new Webhook(Id(1), Id(1), 7, Signed: true, 200), "{}"u8);
        _ledger.NoteDelivery(new Webhook(Id(2), Id(3), 7, Signed: true, 200), "{}"u8);

        var report = await AuditAsync(new StoredEvent(Id(3), "{}"u8.ToArray(), "zap:x:", IsOperational: true));

        Assert.Equal(
            [new Offender(Violation.DeliveredChanged, -1, Id(3)), new Offender(Violation.DeliveredUnknown, -1, Id(1))], report.Offenders);
        Assert.Equal((0, 1), (report.Stored, report.OperationalDeliveries));
    }

    private static EventId Id(int n) => new(1_000 + (ulong)n, 5);

    private static StoredEvent Stored(int n) => new(Id(n), Source.PayloadOf(n), Source.DedupIdOf(n));

    private void Send(int n, int status, EventId id)
    {
        _ledger.NoteSent(n, n, 0);
        _ledger.NoteAnswer(n, status == 0 ? Answer.None : new Answer(status, id, Close: false));
    }

    private void Deliver(int n, EventId id)
    {
        var data = Source.PayloadOf(n);
        _ledger.NoteDelivery(new Webhook(id, id, XxHash3.HashToUInt64(data), Signed: true, 200), data);
    }

    private Task<AuditReport> AuditAsync(params StoredEvent[] inbox) => _ledger.AuditAsync(inbox.ToAsyncEnumerable());
}
