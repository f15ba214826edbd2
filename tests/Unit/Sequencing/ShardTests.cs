using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Tests.Unit.Journal;
using ZapierTriggers.Tests.Unit.Storing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>From submission to store.</summary>
public sealed class ShardTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task Every_event_is_stored_once_and_in_the_order_of_its_id()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        var receipts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var mine = new List<EventId>();
            for (var i = 0; i < 500; i++)
            {
                var receipt = await test.SubmitAsync(payloadBytes: i);
                Assert.Equal(ReceiptKind.Accepted, receipt.Kind);
                mine.Add(receipt.Id);
            }

            Assert.Equal(mine.Order(), mine);
            return mine;
        })));
        var ids = receipts.SelectMany(mine => mine).Order().ToList();
        await test.StoredAsync(ids[^1]);
        Assert.Equal(ids, test.Store.Events.Select(item => item.Id));
        Assert.Equal((4_000L, 0L, 0L), (test.Shard.Sequencer.Accepted, test.Shard.Bound.Events, test.Shard.Bound.Bytes));
        Assert.Empty(test.Shard.Troubles());
    }

    [Fact]
    public async Task Of_64_parallel_twins_one_is_accepted_and_the_others_name_it()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), ackWhen: AckWhen.Synced);
        for (var round = 0; round < 20; round++)
        {
            using var start = new Barrier(4);
            var receipts = (await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                start.SignalAndWait(ShardUnderTest.Patience);
                return Task.WhenAll(Enumerable.Range(0, 16).Select(_ => test.SubmitAsync($"twin-{round}")));
            })))).SelectMany(some => some).ToList();
            var first = Assert.Single(receipts, receipt => receipt.Kind == ReceiptKind.Accepted);
            Assert.Equal(63, receipts.Count(receipt => receipt == first with { Kind = ReceiptKind.Duplicate }));
        }
    }

    [Fact]
    public async Task A_dedup_id_belongs_to_its_organization()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        var other = ShardUnderTest.NewOrganization(no: 8);
        Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync("x")).Kind);
        Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync("x", organization: other)).Kind);
        Assert.Equal(ReceiptKind.Duplicate, (await test.SubmitAsync("x")).Kind);
    }

    [Fact]
    public async Task A_miss_that_is_no_proof_asks_for_the_store_first()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        var old = ShardUnderTest.NewOrganization(DateTimeOffset.UnixEpoch); // was there before this process
        Assert.Equal(ReceiptKind.AskStore, (await test.SubmitAsync("x", organization: old)).Kind);
        var version = test.Shard.Dedup.EvictionVersion;
        Assert.Equal(ReceiptKind.AskStore, (await test.SubmitAsync("x", organization: old, storeAskedAt: version + 1)).Kind);
        Assert.Equal(0, test.Shard.Sequencer.Accepted);
        Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync("x", organization: old, storeAskedAt: version)).Kind);
        Assert.Equal(ReceiptKind.Duplicate, (await test.SubmitAsync("x", organization: old)).Kind);
        Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync(organization: old)).Kind); // no dedup id, no question
    }

    [Fact]
    public async Task A_journaled_receipt_waits_for_nothing()
    {
        var never = JournalUnderTest.Lazy;
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), journal: never);
        await test.SubmitAsync(); // the first one is flushed at once
        var receipt = await test.SubmitAsync();
        Assert.True(test.Shard.Journal.Synced.Position < receipt.Id.High);
        Assert.True(await test.Shard.WaitDurableAsync(receipt.Id, default));
    }

    [Fact]
    public async Task A_synced_receipt_comes_after_the_flush()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), ackWhen: AckWhen.Synced);
        test.Store.Hold();
        for (var i = 0; i < 50; i++)
        {
            var receipt = await test.SubmitAsync();
            Assert.True(test.Shard.Journal.Synced.Position >= receipt.Id.High);
        }

        Assert.Empty(test.Store.Events);
        test.Store.Release();
    }

    [Fact]
    public async Task A_stored_receipt_comes_after_the_commit()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), ackWhen: AckWhen.Stored);
        test.Store.Hold();
        var waiting = test.SubmitAsync("x");
        Assert.True(SpinWait.SpinUntil(() => test.Store.Appends > 0, ShardUnderTest.Patience));
        var twin = test.SubmitAsync("x");
        Assert.False(waiting.IsCompleted || twin.IsCompleted);
        test.Store.Release();
        var receipt = await waiting;
        Assert.Equal(receipt.Id, Assert.Single(test.Store.Events).Id);
        Assert.Equal((ReceiptKind.Duplicate, receipt.Id), ((await twin).Kind, (await twin).Id));
    }

    [Fact]
    public async Task Reads_wait_until_what_was_accepted_is_stored()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        test.Store.Hold();
        await test.SubmitAsync();
        var waiting = test.Shard.WaitStoredAsync(test.Organization, default).AsTask();
        var other = ShardUnderTest.NewOrganization(default, no: 9);
        Assert.True(await test.Shard.WaitStoredAsync(other, default)); // another's read waits for nothing
        Assert.False(waiting.IsCompleted);
        test.Store.Release();
        Assert.True(await waiting);
        Assert.Single(test.Store.Events);
    }

    [Fact]
    public async Task Past_the_bound_events_are_refused_until_half_of_it_is_free()
    {
        var bounded = JournalUnderTest.Small with { MaxBytes = 1 << 20 };
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), journal: bounded);
        test.Store.Hold();
        var last = default(EventId);
        while (await test.SubmitAsync(payloadBytes: 10_000) is { Kind: ReceiptKind.Accepted } receipt) last = receipt.Id;
        Assert.Equal(ReceiptKind.QueueFull, (await test.SubmitAsync("refused")).Kind);
        Assert.InRange(test.Shard.Bound.Bytes, 1 << 20, (1 << 20) + 20_000);
        Assert.Contains(test.Shard.Troubles(), trouble => trouble.Contains("full", StringComparison.Ordinal));
        test.Store.Release();
        await test.StoredAsync(last);
        Assert.True(SpinWait.SpinUntil(() => !test.Shard.Bound.IsFull, ShardUnderTest.Patience));
        Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync("refused")).Kind); // the refusal claimed nothing
    }

    [Fact]
    public async Task What_waits_in_memory_is_bounded_too()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), ingest: new IngestOptions { QueueBytes = 1_000 });
        Assert.Equal(ReceiptKind.QueueFull, (await test.SubmitAsync(payloadBytes: 2_000)).Kind);
        Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync(payloadBytes: 500)).Kind);
        Assert.True(SpinWait.SpinUntil(() => test.Shard.Sequencer.QueuedBytes == 0, ShardUnderTest.Patience));
    }

    [Fact]
    public async Task A_stop_flushes_and_stores_what_was_accepted_and_refuses_the_rest()
    {
        var test = await ShardUnderTest.OpenAsync(_directory.At("a"), journal: JournalUnderTest.Lazy);
        for (var i = 0; i < 100; i++) await test.SubmitAsync();
        await test.Shard.StopAsync(ShardUnderTest.Patience);
        Assert.Equal(100, test.Store.Events.Count);
        Assert.Equal(ReceiptKind.Unavailable, (await test.SubmitAsync()).Kind);
        await test.DisposeAsync();
        Assert.Equal(0, test.Shard.Journal.UnsyncedBytes); // figures are still there
    }

    [Fact]
    public async Task A_start_goes_on_behind_the_checkpoint()
    {
        var store = new StoreModel();
        var ids = new List<EventId>();
        for (var run = 0; run < 4; run++)
        {
            await using var test = await ShardUnderTest.OpenAsync(_directory.At($"{run}"), store);
            Assert.Equal(ReceiptKind.Accepted, (await test.SubmitAsync($"run-{run}")).Kind);
            for (var i = 0; i < 200; i++) ids.Add((await test.SubmitAsync()).Id);
            if (run % 2 == 0) await test.StoredAsync(ids[^1]);
            store.Hold(); // the rest is in the journal only
            for (var i = 0; i < 200; i++) ids.Add((await test.SubmitAsync($"{run}-{i}")).Id);
            Snapshot.Take(_directory.At($"{run}"), _directory.At($"{run + 1}"));

            // The next server takes the shard over while this one still runs: it is fenced.
            await using var next = await ShardUnderTest.OpenAsync(_directory.At($"{run + 1}"), store);
            store.Release();
            Assert.Equal(ReceiptKind.Duplicate, (await next.SubmitAsync($"{run}-199")).Kind);
            await next.StoredAsync(ids[^1]);
            Assert.True(SpinWait.SpinUntil(() => test.Shard.Writer.IsFenced, ShardUnderTest.Patience));
        }

        Assert.Equal(ids, store.Events.Where(item => !item.DedupId.StartsWith("run", StringComparison.Ordinal)).Select(item => item.Id));
        Assert.Equal(store.Events.Select(item => item.Id).Order().Distinct(), store.Events.Select(item => item.Id));
    }

    public void Dispose() => _directory.Dispose();
}
