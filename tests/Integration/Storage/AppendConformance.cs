using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresAppendTests(PostgresFixture fixture) : AppendConformance<PostgresFixture>(fixture);

public sealed class SqliteAppendTests(SqliteFixture fixture) : AppendConformance<SqliteFixture>(fixture);

/// <summary>Events and checkpoint: together or not at all, once, and only by the shard's holder.</summary>
public abstract class AppendConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private readonly TestEvents _events = new(StoreFixture.NextNumber());

    private IEventStore Store => fixture.Stores.Events;

    [Fact]
    public async Task A_batch_is_stored_with_its_checkpoint()
    {
        var writer = await fixture.NewShardAsync();
        var batch = new[] { _events.Next("a", "{}"), _events.Next("b", """{"x":1}""", "dedup", "key") with { TraceParent = TestEvents.Trace } };

        await writer.AppendAsync(batch);

        var stored = await fixture.ReadAllAsync(_events.OrganizationNo);
        Assert.Equal(batch.Select(journaled => journaled.Id), stored.Select(found => found.Id));
        Assert.Equal([null, "dedup"], stored.Select(found => found.DedupId));
        Assert.Equal([null, "key"], stored.Select(found => found.OrderingKey));
        Assert.Equal([default, TestEvents.Trace], stored.Select(found => found.TraceParent));
        Assert.Equal(
            TestEvents.Trace, (await Store.FindEventAsync(_events.OrganizationNo, batch[1].Id, CancellationToken.None))!.Event.TraceParent);
        Assert.True((await Store.FindEventAsync(_events.OrganizationNo, batch[0].Id, CancellationToken.None))!.Event.TraceParent.IsNone);
        Assert.Equal(batch[1].Id.AcceptedAt, stored[1].UpdatedAt);
        Assert.Equal(new Checkpoint(batch[1].Id, 2), (await ReclaimAsync(writer)).StoredThrough);
    }

    [Fact]
    public async Task A_batch_whose_reply_was_lost_is_not_stored_twice()
    {
        var writer = await fixture.NewShardAsync();
        var previous = writer.At;
        var batch = _events.Many(3);
        await writer.AppendAsync(batch);

        await Store.AppendAsync(writer.Claim, previous, writer.At, batch, CancellationToken.None);

        Assert.Equal(3, (await fixture.ReadAllAsync(_events.OrganizationNo)).Count);
        await writer.AppendAsync(_events.Next());
        Assert.Equal(4, (await fixture.ReadAllAsync(_events.OrganizationNo)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fenced_writer_stores_nothing_even_when_its_last_batch_is_there(bool byAnotherJournal)
    {
        var writer = await fixture.NewShardAsync();
        var previous = writer.At;
        var first = _events.Many(1);
        await writer.AppendAsync(first);
        await ShardWriter.ClaimShardAsync(Store, writer.Claim.Shard, byAnotherJournal ? Guid.NewGuid() : writer.Claim.JournalId);

        var fenced = await Assert.ThrowsAsync<StoreException>(() => writer.AppendAsync(_events.Next()));
        var repeated = await Assert.ThrowsAsync<StoreException>(
            () => Store.AppendAsync(writer.Claim, previous, writer.At, first, CancellationToken.None));

        Assert.Equal(StoreFailure.Fenced, fenced.Failure);
        Assert.Equal(StoreFailure.Fenced, repeated.Failure);
        Assert.Single(await fixture.ReadAllAsync(_events.OrganizationNo));
    }

    [Fact]
    public async Task A_checkpoint_that_is_neither_before_nor_after_the_batch_is_a_fault()
    {
        var writer = await fixture.NewShardAsync();
        await writer.AppendAsync(_events.Next());
        var batch = _events.Many(1);

        var exception = await Assert.ThrowsAsync<StoreException>(
            () => Store.AppendAsync(writer.Claim, default, writer.After(batch), batch, CancellationToken.None));

        Assert.Equal(StoreFailure.Fault, exception.Failure);
        Assert.Single(await fixture.ReadAllAsync(_events.OrganizationNo));
    }

    [Fact]
    public async Task An_empty_batch_moves_the_checkpoint()
    {
        var writer = await fixture.NewShardAsync();
        var next = new Checkpoint(_events.Next().Id, 7);

        await Store.AppendAsync(writer.Claim, writer.At, next, ReadOnlyMemory<JournaledEvent>.Empty, CancellationToken.None);

        Assert.Equal(next, (await ReclaimAsync(writer)).StoredThrough);
    }

    [Fact]
    public async Task A_refused_row_takes_back_the_whole_batch_and_the_checkpoint()
    {
        var writer = await fixture.NewShardAsync();
        var other = await fixture.NewShardAsync();
        var twin = _events.Next();
        await other.AppendAsync(twin);

        var exception = await Assert.ThrowsAsync<StoreException>(() => writer.AppendAsync(_events.Next(), twin));

        Assert.Equal(StoreFailure.RowRefused, exception.Failure);
        Assert.NotNull(exception.Code);
        Assert.Single(await fixture.ReadAllAsync(_events.OrganizationNo));
        Assert.Equal(default, (await ReclaimAsync(writer)).StoredThrough);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refused_row_is_kept_as_bytes_and_the_checkpoint_goes_past_it(bool isTraced)
    {
        var writer = await fixture.NewShardAsync();
        var refused = _events.Next("t", """{"x":"y"}""", "dedup", "key") with { TraceParent = isTraced ? TestEvents.Trace : default };
        var next = writer.After([refused]);

        for (var time = 0; time < 2; time++)
            await Store.QuarantineAsync(writer.Claim, default, next, refused, "22021: \0 is not text", CancellationToken.None);

        var row = (byte[])(await fixture.ScalarAsync($"SELECT event FROM quarantine WHERE organization_no = {_events.OrganizationNo}"))!;
        var kept = Server.Storage.QuarantinedRow.Decode(_events.OrganizationNo, refused.Id, row);
        Assert.Equal(("t", "dedup", "key"), (Text(kept.Type), Text(kept.DedupId), Text(kept.OrderingKey)));
        Assert.Equal("""{"x":"y"}""", Text(kept.Payload));
        Assert.Equal((refused.PayloadHash, refused.TraceParent), (kept.PayloadHash, kept.TraceParent));
        Assert.Empty(await fixture.ReadAllAsync(_events.OrganizationNo));
        Assert.Equal(next, (await ReclaimAsync(writer)).StoredThrough);
    }

    [Fact]
    public async Task Bytes_are_kept_exactly()
    {
        var writer = await fixture.NewShardAsync();
        var batch = TestEvents.Samples().Select(sample => _events.Next(sample.Type, sample.Payload)).ToArray();

        await writer.AppendAsync(batch);

        var stored = await fixture.ReadAllAsync(_events.OrganizationNo);
        Assert.Equal(batch.Length, stored.Count);
        for (var index = 0; index < batch.Length; index++)
        {
            Assert.True(batch[index].Payload.Span.SequenceEqual(stored[index].Payload), $"payload {index} was altered");
            Assert.Equal(Text(batch[index].Type), stored[index].Type);
        }
    }

    [Fact]
    public async Task A_claim_raises_the_epoch_and_each_journal_has_a_checkpoint_of_its_own()
    {
        var (shard, journal, other) = (StoreFixture.NextNumber(), Guid.NewGuid(), Guid.NewGuid());
        var first = await ShardWriter.ClaimShardAsync(Store, shard, journal);
        var next = new Checkpoint(_events.Next().Id, 9);
        await Store.AppendAsync(first, default, next, ReadOnlyMemory<JournaledEvent>.Empty, CancellationToken.None);

        var second = await ShardWriter.ClaimShardAsync(Store, shard, other);
        var third = await ShardWriter.ClaimShardAsync(Store, shard, journal);

        Assert.Equal(new ShardClaim(shard, first.Epoch + 1, other, default, next.Id), second);
        Assert.Equal(new ShardClaim(shard, first.Epoch + 2, journal, next, next.Id), third);
    }

    [Fact]
    public async Task A_claim_that_expects_another_checkpoint_changes_nothing()
    {
        var writer = await fixture.NewShardAsync();
        var expected = writer.At;
        await writer.AppendAsync(_events.Next());

        Assert.Null(await Store.ClaimShardAsync(writer.Claim.Shard, writer.Claim.JournalId, expected, CancellationToken.None));

        await writer.AppendAsync(_events.Next()); // not fenced
        Assert.Equal(writer.At, await Store.ReadCheckpointAsync(writer.Claim.Shard, writer.Claim.JournalId, CancellationToken.None));
    }

    [Fact]
    public async Task Of_those_who_claim_a_shard_at_once_one_can_write()
    {
        var shard = StoreFixture.NextNumber();
        var writers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => ShardWriter.ClaimAsync(Store, shard)));

        Assert.Equal(6, writers.Select(writer => writer.Claim.Epoch).Distinct().Count());
        foreach (var writer in writers.OrderBy(writer => writer.Claim.Epoch).SkipLast(1))
            Assert.Equal(StoreFailure.Fenced, (await Assert.ThrowsAsync<StoreException>(() => writer.AppendAsync(_events.Next()))).Failure);
        await writers.MaxBy(writer => writer.Claim.Epoch)!.AppendAsync(_events.Next());
        Assert.Single(await fixture.ReadAllAsync(_events.OrganizationNo));
    }

    [Fact]
    public async Task Shards_are_written_side_by_side()
    {
        var sources = Enumerable.Range(0, 4).Select(_ => new TestEvents(_events.OrganizationNo)).ToArray();
        await Task.WhenAll(sources.Select(async source =>
        {
            var writer = await fixture.NewShardAsync();
            for (var batch = 0; batch < 5; batch++) await writer.AppendAsync(source.Many(20));
        }));

        Assert.Equal(400, (await fixture.ReadAllAsync(_events.OrganizationNo)).Select(stored => stored.Id).Distinct().Count());
    }

    private Task<ShardClaim> ReclaimAsync(ShardWriter writer) =>
        ShardWriter.ClaimShardAsync(Store, writer.Claim.Shard, writer.Claim.JournalId);

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
