using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>The sequencer over a journal that has no room, or throws.</summary>
public sealed class SequencerTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly Organization _organization = ShardUnderTest.NewOrganization();
    private readonly JournalUnderTest _files;
    private readonly FaultyJournal _journal;
    private readonly Sequencer _sequencer;

    public SequencerTests()
    {
        _files = new JournalUnderTest(_directory.Path, flushAtOnce: true);
        _journal = new FaultyJournal(_files.Journal);
        var dedup = new DedupWindow(new DedupOptions(), 0, () => 0, _time);
        var bound = new JournalBound(long.MaxValue);
        _sequencer = new Sequencer(_journal, dedup, default, bound, new Watermark(), new IngestOptions(), _time, NullLogger.Instance);
        _sequencer.Start(SystemLoopHost.Instance);
    }

    [Fact]
    public async Task A_fault_costs_one_unknown_outcome_and_not_the_loop()
    {
        _journal.BeforeAppend = () => throw new InvalidOperationException("a fault");
        Assert.Equal(ReceiptKind.Unknown, (await SubmitAsync()).Kind);
        _journal.BeforeAppend = () => true;
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync()).Kind);
    }

    [Fact]
    public async Task An_event_without_room_waits_for_the_next_flush()
    {
        var hasRoom = false;
        _journal.BeforeAppend = () => Volatile.Read(ref hasRoom);
        var waiting = SubmitAsync();
        Assert.False(waiting.IsCompleted);
        Volatile.Write(ref hasRoom, true);
        _files.Append(); // and its flush
        Assert.Equal(ReceiptKind.Accepted, (await waiting).Kind);
    }

    [Fact]
    public async Task Room_that_comes_between_the_look_and_the_wait_is_not_missed()
    {
        var looks = 0;
        _journal.BeforeAppend = () =>
        {
            if (++looks > 2) return true;
            _files.Append();
            Assert.True(SpinWait.SpinUntil(() => _journal.Synced.Position >= _files.Appended[^1].Id.High, ShardUnderTest.Patience));
            return false;
        };
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync()).Kind); // the clock stands still, so a time-out cannot help
    }

    [Fact]
    public async Task After_a_second_without_room_events_are_refused_at_once_until_there_is_some()
    {
        var hasRoom = false;
        _journal.BeforeAppend = () => Volatile.Read(ref hasRoom);
        var waiting = SubmitAsync();
        ShardUnderTest.AdvanceUntil(_time, TimeSpan.FromMilliseconds(100), () => waiting.IsCompleted);
        Assert.Equal(ReceiptKind.QueueFull, (await waiting).Kind);
        Assert.Equal(ReceiptKind.QueueFull, (await SubmitAsync()).Kind); // the clock stands still: it did not wait
        Volatile.Write(ref hasRoom, true);
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync()).Kind);
        Volatile.Write(ref hasRoom, false);
        var again = SubmitAsync();
        Assert.False(again.IsCompleted); // it waits again, as the first did
        Volatile.Write(ref hasRoom, true);
        // Not by an append: its id is of today, those above are of the advanced clock.
        ShardUnderTest.AdvanceUntil(_time, TimeSpan.FromMilliseconds(100), () => again.IsCompleted);
        Assert.Equal(ReceiptKind.Accepted, (await again).Kind);
    }

    [Fact]
    public async Task Order_is_kept_while_one_waits()
    {
        var hasRoom = false;
        _journal.BeforeAppend = () => Volatile.Read(ref hasRoom);
        var waiting = Enumerable.Range(0, 200).Select(_ => SubmitAsync()).ToList();
        Assert.All(waiting, receipt => Assert.False(receipt.IsCompleted));
        Volatile.Write(ref hasRoom, true);
        _files.Append();
        var ids = (await Task.WhenAll(waiting)).Select(receipt => receipt.Id).ToList();
        Assert.Equal(ids.Order(), ids);
    }

    [Fact]
    public async Task When_the_journal_fails_those_who_wait_for_room_are_refused()
    {
        _journal.BeforeAppend = () => false;
        var waiting = SubmitAsync();
        FileFault.FailWrites(Snapshot.Segments(_directory.Path)[^1]);
        _files.Append();
        Assert.Equal(ReceiptKind.Unavailable, (await waiting).Kind);
    }

    [Fact]
    public async Task While_it_is_told_to_refuse_it_does()
    {
        _sequencer.Refuse("because");
        Assert.Equal(ReceiptKind.Unavailable, (await SubmitAsync()).Kind);
        _sequencer.Refuse(null);
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync()).Kind);
    }

    public void Dispose()
    {
        _sequencer.Complete();
        _files.Dispose();
        _directory.Dispose();
    }

    private async Task<Receipt> SubmitAsync()
    {
        var item = TestEvent.Numbered(1, default).ToJournaled() with { DedupId = default };
        var submission = Submission.Rent(_organization, item, default, -1);
        _sequencer.Submit(submission);
        var receipt = await submission.WaitAsync().AsTask().WaitAsync(ShardUnderTest.Patience);
        submission.Return();
        return receipt;
    }
}
