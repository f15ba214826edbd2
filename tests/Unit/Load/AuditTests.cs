using System.IO.Hashing;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>
/// The sound run: requests 0, 1 and 2 accepted, 3 a duplicate of 1, 4 refused, 5 and 6 without an answer, of which 5 is stored. Each
/// test breaks one thing and sees exactly that.
/// </summary>
public sealed class AuditTests
{
    private static readonly EventId OwnId = new(Id(1).High + 1, Id(1).Low); // Between events 1 and 2.

    private readonly EventSource _source = new(EventTemplates.Generate(120, 1), DedupMode.Unique, 1, "run00001");
    private readonly Ledger _ledger = new();
    private readonly List<StoredEvent> _inbox;
    private readonly List<ZapierTriggers.Load.Core.Verdict.Delivery> _deliveries;

    public AuditTests()
    {
        Note(0, content: 0, 202, Id(0));
        Note(1, content: 1, 202, Id(1));
        Note(2, content: 2, 202, Id(2));
        Note(3, content: 1, 409, Id(1));
        Note(4, content: 4, 429);
        Note(5, content: 5, 0);
        Note(6, content: 6, 0);
        _inbox = [Stored(0), Stored(1), Stored(2), Stored(5)];
        _deliveries = [Delivered(1), Delivered(0), Delivered(2), Delivered(5), Delivered(5)];
    }

    [Fact]
    public async Task A_sound_run_passes()
    {
        var report = await RunAsync();
        Assert.True(report.Passed, string.Join('\n', report.Lines()));
        Assert.Equal(0, report.ExitCode);
        Assert.Equal((3, 1, 1, 2), (report.Accepted, report.Duplicates, report.Refused, report.Unanswered));
        Assert.Equal((4, 1, 5), (report.Stored, report.StoredUnanswered, report.Deliveries));
    }

    [Fact]
    public async Task A_lost_event_is_found()
    {
        _inbox.RemoveAt(2);
        _deliveries.RemoveAt(2);
        var report = await RunAsync();
        Assert.Equal([new Offender(Violation.Lost, 2, Id(2))], report.Offenders);
        Assert.Equal(2, report.ExitCode);
        Assert.Contains("verdict   FAIL", report.Lines());
    }

    [Fact]
    public async Task A_202_twice_is_found()
    {
        Note(7, content: 0, 202, Id(0));
        await AssertFoundAsync(new Offender(Violation.AcceptedTwice, 0, Id(0)));
    }

    [Fact]
    public async Task A_202_without_an_id_is_found()
    {
        Note(7, content: 7, 202);
        await AssertFoundAsync(new Offender(Violation.AnswerWithoutId, 7, default), new Offender(Violation.Lost, 7, default));
    }

    [Fact]
    public async Task An_event_stored_twice_is_found()
    {
        _inbox.Add(Stored(1, id: Id(9)));
        _deliveries.Add(Delivered(1, id: Id(9)));
        await AssertFoundAsync(new Offender(Violation.StoredTwice, 1, Id(9)));
    }

    [Fact]
    public async Task Another_id_than_answered_is_found()
    {
        _inbox[2] = Stored(2, id: Id(3));
        _deliveries[2] = Delivered(2, id: Id(3));
        await AssertFoundAsync(new Offender(Violation.WrongId, 2, Id(3)));
    }

    [Fact]
    public async Task An_event_never_sent_is_found()
    {
        _inbox.Add(Stored(7));
        _deliveries.Add(Delivered(7));
        await AssertFoundAsync(new Offender(Violation.NeverSent, -1, Id(7)));
    }

    [Fact]
    public async Task An_event_of_somebody_else_is_found()
    {
        _inbox.Add(new StoredEvent(Id(7), "{}"u8.ToArray(), null));
        _deliveries.Add(Delivered(7));
        await AssertFoundAsync(new Offender(Violation.NeverSent, -1, Id(7)));
    }

    [Fact]
    public async Task A_refused_event_that_is_stored_is_found()
    {
        _inbox.Insert(3, Stored(4));
        _deliveries.Add(Delivered(4));
        await AssertFoundAsync(new Offender(Violation.StoredThoughRefused, 4, Id(4)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_stored_after_a_503_counts_as_the_settings_say(bool tolerated)
    {
        Note(7, content: 7, 503);
        _inbox.Add(Stored(7));
        _deliveries.Add(Delivered(7));
        var report = await RunAsync(new AuditSettings { ServerErrorsMayBeStored = tolerated });
        Assert.Equal(tolerated ? [] : [new Offender(Violation.StoredThoughRefused, 7, Id(7))], report.Offenders);
    }

    [Fact]
    public async Task A_changed_payload_is_found()
    {
        var payload = _source.PayloadOf(1);
        payload[^3] ^= 1;
        _inbox[1] = _inbox[1] with { Payload = payload };
        await AssertFoundAsync(new Offender(Violation.PayloadChanged, 1, Id(1)));
    }

    [Fact]
    public async Task A_changed_dedup_id_is_found()
    {
        _inbox[1] = _inbox[1] with { DedupId = null };
        await AssertFoundAsync(new Offender(Violation.DedupIdChanged, 1, Id(1)));
    }

    [Fact]
    public async Task A_descending_id_is_found()
    {
        (_inbox[1], _inbox[2]) = (_inbox[2], _inbox[1]);
        await AssertFoundAsync(new Offender(Violation.OutOfOrder, -1, Id(1)));
    }

    [Fact]
    public async Task An_event_listed_twice_is_found()
    {
        _inbox.Insert(1, Stored(0));
        await AssertFoundAsync(new Offender(Violation.OutOfOrder, -1, Id(0)), new Offender(Violation.StoredTwice, 0, Id(0)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(-1)]
    public async Task A_409_that_names_another_event_is_found(int named)
    {
        var id = named < 0 ? default : Id(named);
        Note(3, content: 1, 409, id);
        await AssertFoundAsync(new Offender(Violation.DuplicateNamesOther, 1, id));
    }

    [Fact]
    public async Task A_409_may_name_the_event_whose_own_answer_was_lost()
    {
        Note(7, content: 5, 409, Id(5));
        Assert.True((await RunAsync()).Passed);
    }

    [Fact]
    public async Task A_409_for_an_event_that_is_not_stored_is_found()
    {
        Note(7, content: 6, 409, Id(6));
        await AssertFoundAsync(new Offender(Violation.DuplicateNamesOther, 6, Id(6)));
    }

    [Fact]
    public async Task An_undelivered_event_is_found_unless_that_is_expected()
    {
        _deliveries[0] = _deliveries[0] with { Status = 500 };
        await AssertFoundAsync(new Offender(Violation.NotDelivered, 1, Id(1)));
        Assert.True((await RunAsync(new AuditSettings { AllMustBeDelivered = false })).Passed);
    }

    [Fact]
    public async Task A_delivery_of_nothing_stored_is_found()
    {
        _deliveries.Add(Delivered(6));
        await AssertFoundAsync(new Offender(Violation.DeliveredUnknown, -1, Id(6)));
    }

    [Fact]
    public async Task A_changed_delivery_is_found()
    {
        _deliveries[0] = _deliveries[0] with { DataHash = 1 };
        _deliveries[1] = _deliveries[1] with { WebhookId = Id(1) };
        await AssertFoundAsync(new Offender(Violation.DeliveredChanged, 1, Id(1)), new Offender(Violation.DeliveredChanged, 0, Id(0)));
    }

    [Fact]
    public async Task A_bad_signature_is_found()
    {
        _deliveries[0] = _deliveries[0] with { Signed = false };
        await AssertFoundAsync(new Offender(Violation.BadSignature, -1, Id(1)));
    }

    [Fact]
    public async Task What_the_server_itself_tells_is_counted_apart()
    {
        _inbox.Insert(2, Own());
        _deliveries.Add(new(OwnId, OwnId, DataHash: 7, Signed: true, 200));
        var report = await RunAsync();
        Assert.True(report.Passed, string.Join('\n', report.Lines()));
        Assert.Equal((4, 1, 5, 1), (report.Stored, report.Operational, report.Deliveries, report.OperationalDeliveries));
        Assert.Contains("          of the server itself 1, delivered 1", report.Lines());
    }

    [Fact]
    public async Task What_the_server_itself_tells_need_not_be_delivered()
    {
        _inbox.Insert(2, Own());
        Assert.True((await RunAsync()).Passed);
    }

    [Fact]
    public async Task What_the_server_itself_tells_stands_in_line_like_any_other()
    {
        _inbox.Add(Own());
        await AssertFoundAsync(new Offender(Violation.OutOfOrder, -1, OwnId));
    }

    [Fact]
    public async Task What_the_server_itself_tells_is_signed_under_its_own_id()
    {
        _inbox.Insert(2, Own());
        _deliveries.Add(new(Id(1), OwnId, DataHash: 7, Signed: false, 200));
        await AssertFoundAsync(new Offender(Violation.BadSignature, -1, OwnId), new Offender(Violation.DeliveredChanged, -1, OwnId));
    }

    private static StoredEvent Own() => new(OwnId, "{}"u8.ToArray(), "zap:usage.rate_limit_warning:x", IsOperational: true);

    private static EventId Id(int number) => new(((ulong)number << 16) + 0x0190_0000_0000_7000, 0x8000_0000_0000_0000);

    private void Note(long number, long content, int status, EventId id = default)
    {
        _ledger.NoteSent(number, content, 0);
        _ledger.NoteAnswer(number, new Answer(status, id, Close: false));
    }

    private StoredEvent Stored(int content, EventId? id = null) =>
        new(id ?? Id(content), _source.PayloadOf(content), _source.DedupIdOf(content));

    private ZapierTriggers.Load.Core.Verdict.Delivery Delivered(int content, EventId? id = null) =>
        new(id ?? Id(content), id ?? Id(content), XxHash3.HashToUInt64(_source.PayloadOf(content)), Signed: true, Status: 200);

    private Task<AuditReport> RunAsync(AuditSettings? settings = null) =>
        Audit.RunAsync(_source, _ledger, _inbox.ToAsyncEnumerable(), _deliveries, settings);

    private async Task AssertFoundAsync(params Offender[] offenders)
    {
        var report = await RunAsync();
        Assert.Equal(offenders, report.Offenders);
        Assert.Equal(2, report.ExitCode);
    }
}
