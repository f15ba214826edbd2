using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>A batch is decided as one: all of it is kept, or none.</summary>
public sealed class BatchTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task Each_item_has_a_receipt_and_ids_follow_the_order()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        using var batch = Batch(test, "", "x", "", "x", "y");
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync(test, batch)).Kind);
        var receipts = batch.Items.ToArray().Select(item => item.Receipt).ToArray();
        Assert.Equal(
            [ReceiptKind.Accepted, ReceiptKind.Accepted, ReceiptKind.Accepted, ReceiptKind.Duplicate, ReceiptKind.Accepted],
            receipts.Select(receipt => receipt.Kind));
        Assert.Equal(receipts[1].Id, receipts[3].Id);
        await test.StoredAsync(receipts[4].Id);
        Assert.Equal([receipts[0].Id, receipts[1].Id, receipts[2].Id, receipts[4].Id], test.Store.Events.Select(item => item.Id));
    }

    [Fact]
    public async Task What_there_is_no_room_for_leaves_nothing()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        var payload = new byte[200_000];
        using var large = new EventBatch(30);
        for (var i = 0; i < 30; i++) large.Add(Item(test, "d", payload), KeyOf(test, "d"));
        Assert.True(large.Measure().Bytes > test.Shard.Journal.RingBytes);
        Assert.Equal(ReceiptKind.QueueFull, (await SubmitAsync(test, large)).Kind);
        Assert.Equal(0, test.Shard.Sequencer.Accepted);
        Assert.Equal(0, test.Shard.Dedup.Count);
    }

    [Fact]
    public async Task A_stored_event_is_found_before_any_of_the_batch_is_kept()
    {
        var created = DateTimeOffset.UtcNow.AddDays(-1);
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"));
        var organization = ShardUnderTest.NewOrganization(created);
        using var first = Batch(test, "a", "b");
        await SubmitAsync(test, first, organization);
        await test.StoredAsync(first.Items[1].Receipt.Id);
        await using var again = await ShardUnderTest.OpenAsync(_directory.At("b"), test.Store);

        using var batch = Batch(again, "b", "c", "a");
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync(again, batch, organization)).Kind);

        Assert.Equal((ReceiptKind.Duplicate, first.Items[1].Receipt.Id), (batch.Items[0].Receipt.Kind, batch.Items[0].Receipt.Id));
        Assert.Equal(ReceiptKind.Accepted, batch.Items[1].Receipt.Kind);
        Assert.Equal((ReceiptKind.Duplicate, first.Items[0].Receipt.Id), (batch.Items[2].Receipt.Kind, batch.Items[2].Receipt.Id));
        Assert.Equal(1, again.Shard.Sequencer.Accepted);
    }

    [Fact]
    public async Task It_is_answered_when_the_last_of_it_is_durable()
    {
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), ackWhen: AckWhen.Stored, journal: JournalUnderTest.Eager);
        test.Store.Hold();
        using var batch = Batch(test, "", "");
        var answer = SubmitAsync(test, batch);
        Assert.True(SpinWait.SpinUntil(() => test.Store.Appends > 0, ShardUnderTest.Patience));
        Assert.False(answer.IsCompleted);
        test.Store.Release();
        Assert.Equal(ReceiptKind.Accepted, (await answer.WaitAsync(ShardUnderTest.Patience)).Kind);
        Assert.Equal(2, test.Store.Events.Count);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_store_is_asked_only_for_those_that_the_window_may_have_known()
    {
        var path = _directory.At("a");
        Core.Accounts.Organization organization;
        var store = new Storing.StoreModel();
        await using (var first = await ShardUnderTest.OpenAsync(path, store))
        {
            organization = ShardUnderTest.NewOrganization(DateTimeOffset.UtcNow.AddMilliseconds(5));
            using var old = Batch(first, "old");
            Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync(first, old, organization)).Kind);
            await first.StoredAsync(old.Items[0].Receipt.Id);
        }

        await using var again = await ShardUnderTest.OpenAsync(path, store);
        using var batch = Batch(again, "new-1", "old", "new-2");
        Assert.Equal(ReceiptKind.Accepted, (await SubmitAsync(again, batch, organization)).Kind);
        Assert.Equal(["old"], store.AskedFor);
        Assert.Equal(
            [ReceiptKind.Accepted, ReceiptKind.Duplicate, ReceiptKind.Accepted], batch.Items.ToArray().Select(item => item.Receipt.Kind));
    }

    private static Task<Receipt> SubmitAsync(ShardUnderTest test, EventBatch batch, Core.Accounts.Organization? organization = null) =>
        test.Shard.Admission.SubmitAsync(organization ?? test.Organization, batch, CancellationToken.None).AsTask();

    private static EventBatch Batch(ShardUnderTest test, params string[] dedupIds)
    {
        var batch = new EventBatch(dedupIds.Length);
        foreach (var dedupId in dedupIds) batch.Add(Item(test, dedupId, "{}"u8.ToArray()), KeyOf(test, dedupId));
        return batch;
    }

    private static Core.Events.JournaledEvent Item(ShardUnderTest test, string dedupId, byte[] payload) => new()
    {
        OrganizationNo = test.Organization.No,
        Id = default,
        PayloadHash = System.IO.Hashing.XxHash3.HashToUInt64(payload),
        Type = "t"u8.ToArray(),
        DedupId = System.Text.Encoding.UTF8.GetBytes(dedupId),
        OrderingKey = default,
        Payload = payload,
    };

    private static DedupKey KeyOf(ShardUnderTest test, string dedupId) =>
        dedupId.Length == 0 ? default : DedupKey.Of(
            System.Text.Encoding.UTF8.GetBytes(dedupId), test.Organization.No, test.Directory.DedupSecret);
}
