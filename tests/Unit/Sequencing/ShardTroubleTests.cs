using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>A disk that fails, fills or is slow, and a shard that was taken over.</summary>
public sealed class ShardTroubleTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Theory]
    [InlineData((int)AckWhen.Journaled)]
    [InlineData((int)AckWhen.Synced)]
    [InlineData((int)AckWhen.Stored)]
    public async Task After_a_failed_flush_nothing_is_acknowledged_any_more(int ackWhen)
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), ackWhen: (AckWhen)ackWhen);
        var first = await test.SubmitAsync();
        await test.StoredAsync(first.Id);
        FileFault.FailFlushes(Snapshot.Segments(_directory.At("a"))[^1]);
        var pending = await test.SubmitAsync("pending").WaitAsync(ShardUnderTest.Patience);
        Assert.Equal((AckWhen)ackWhen == AckWhen.Journaled ? ReceiptKind.Accepted : ReceiptKind.Unknown, pending.Kind);
        test.Shard.Journal.Nudge();
        Assert.True(SpinWait.SpinUntil(() => test.Shard.Journal.State == JournalState.Poisoned, ShardUnderTest.Patience));
        Assert.Equal(ReceiptKind.Unavailable, (await test.SubmitAsync()).Kind);
        Assert.Contains(test.Shard.Troubles(), trouble => trouble.Contains("could not be written", StringComparison.Ordinal));
        Assert.Equal(first.Id, Assert.Single(test.Store.Events).Id); // what was flushed, no more

        // What was answered, or may have been kept, is there at the next start; the same dedup id is safe to send again.
        Snapshot.Take(_directory.At("a"), _directory.At("b"));
        await using var next = await ShardUnderTest.OpenAsync(_directory.At("b"), test.Store, (AckWhen)ackWhen);
        Assert.Equal(ReceiptKind.Duplicate, (await next.SubmitAsync("pending")).Kind);
        Assert.True(SpinWait.SpinUntil(() => test.Store.Events.Count == 2, ShardUnderTest.Patience));
    }

    [Fact]
    public async Task A_full_disk_refuses_and_takes_events_again_when_there_is_room()
    {
        using var disk = new SmallDisk(4 << 20);
        await using var test = await ShardUnderTest.OpenAsync(disk.Path);
        disk.Fill();
        var accepted = 0;
        var receipt = await test.SubmitAsync(payloadBytes: 5_000);
        for (; receipt.Kind == ReceiptKind.Accepted; receipt = await test.SubmitAsync(payloadBytes: 5_000)) accepted++;
        Assert.True(receipt.Kind is ReceiptKind.Unavailable or ReceiptKind.QueueFull);
        Assert.Contains(test.Shard.Troubles(), trouble => trouble.Contains("Free space", StringComparison.Ordinal));
        disk.Free();
        Assert.True(SpinWait.SpinUntil(() => test.Shard.Journal.State == JournalState.Running, ShardUnderTest.Patience));
        receipt = await test.SubmitAsync();
        Assert.Equal(ReceiptKind.Accepted, receipt.Kind);
        await test.StoredAsync(receipt.Id);
        Assert.Equal(accepted + 1, test.Store.Events.Count);
    }

    [Fact]
    public async Task A_shard_that_was_taken_over_stops_storing_and_refuses()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var test = await ShardUnderTest.OpenAsync(
            _directory.At("a"), ackWhen: AckWhen.Stored, journal: JournalUnderTest.Eager, time: time);
        await test.Store.ClaimShardAsync(0, Guid.NewGuid(), default, default);
        Assert.Equal(ReceiptKind.Unknown, (await test.SubmitAsync().WaitAsync(ShardUnderTest.Patience)).Kind);
        Assert.True(test.Shard.Writer.IsFenced);
        Assert.Equal(ReceiptKind.Unavailable, (await test.SubmitAsync()).Kind);
        Assert.Empty(test.Store.Events);
        Assert.Contains(test.Shard.Troubles(), trouble => trouble.Contains("taken", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_journal_whose_shard_was_taken_over_is_refused_in_every_mode()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), journal: JournalUnderTest.Eager, time: time);
        await test.Store.ClaimShardAsync(0, Guid.NewGuid(), default, default);
        await test.SubmitAsync();
        await test.Shard.Writer.Completion.WaitAsync(ShardUnderTest.Patience);
        Assert.Equal(ReceiptKind.Unavailable, (await test.SubmitAsync()).Kind);
    }

    public void Dispose() => _directory.Dispose();
}
