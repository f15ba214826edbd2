using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Unit.Journal;
using ZapierTriggers.Tests.Unit.Sequencing;

namespace ZapierTriggers.Tests.Unit.Storing;

/// <summary>The store writer over a real journal and a store that fails in all of the ways that it may.</summary>
public sealed class StoreWriterTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly StoreModel _store = new();

    [Fact]
    public async Task A_store_that_is_away_is_tried_again()
    {
        await using var test = await OpenAsync();
        _store.BeUnavailable(3);
        var ids = await SubmitAsync(test, 100);
        Assert.True(SpinWait.SpinUntil(() => test.Shard.Troubles().Count > 0 || _store.Events.Count == 100, ShardUnderTest.Patience));
        await test.StoredAsync(ids[^1]);
        Assert.Equal(ids, Stored);
        Assert.True(SpinWait.SpinUntil(() => test.Shard.Troubles().Count == 0, ShardUnderTest.Patience));
    }

    [Fact]
    public async Task A_lost_reply_stores_nothing_twice()
    {
        await using var test = await OpenAsync();
        var all = new List<EventId>();
        for (var round = 0; round < 4; round++)
        {
            _store.LoseReplies(1);
            all.AddRange(await SubmitAsync(test, 50));
            await test.StoredAsync(all[^1]);
        }

        Assert.Equal(all, Stored);
    }

    [Fact]
    public async Task A_lost_reply_and_then_a_restart_store_nothing_twice()
    {
        List<EventId> ids;
        await using (var test = await OpenAsync())
        {
            _store.LoseReplies(int.MaxValue);
            ids = await SubmitAsync(test, 50);
            Assert.True(SpinWait.SpinUntil(() => _store.Events.Count > 0, ShardUnderTest.Patience));
        }

        _store.LoseReplies(0);
        await using var again = await OpenAsync();
        ids.AddRange(await SubmitAsync(again, 50));
        await again.StoredAsync(ids[^1]);
        Assert.Equal(ids, Stored);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(57)]
    [InlineData(199)]
    public async Task A_refused_row_is_set_aside_with_its_reason_and_the_others_are_stored(int refused)
    {
        _store.Refuses = item => item.DedupId == $"d-{refused}";
        await using var test = await OpenAsync();
        var ids = await SubmitAsync(test, 200, "d-");
        await test.StoredAsync(ids[^1]);
        Assert.Equal(ids.Where((_, i) => i != refused), Stored);
        var (row, reason) = Assert.Single(_store.Quarantined);
        Assert.Equal(ids[refused], row.Id);
        Assert.Contains("22003", reason);
        Assert.Equal((1L, 199L), (test.Shard.Writer.SetAside, test.Shard.Writer.StoredEvents));
        Assert.True(await test.Shard.WaitStoredAsync(test.Organization, default));
    }

    [Fact]
    public async Task A_refused_row_next_to_lost_replies_and_an_absent_store_is_still_the_only_one_set_aside()
    {
        _store.Refuses = item => item.DedupId is "d-10" or "d-11" or "d-90";
        await using var test = await OpenAsync();
        _store.BeUnavailable(1);
        _store.LoseReplies(2);
        var ids = await SubmitAsync(test, 100, "d-");
        await test.StoredAsync(ids[^1]);
        Assert.Equal(ids.Where((_, i) => i is not (10 or 11 or 90)), Stored);
        Assert.Equal(3, _store.Quarantined.Count);
    }

    [Fact]
    public async Task A_fault_or_a_time_out_of_the_driver_does_not_end_the_loop()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), _store, journal: JournalUnderTest.Eager, time: time);
        Exception[] faults =
        [
            new TaskCanceledException("a time-out of the driver's own"),
            new InvalidOperationException("a fault"),
            new StoreException(StoreFailure.Fault, "no such table"),
        ];
        foreach (var fault in faults)
        {
            _store.Fault = fault;
            var receipt = await test.SubmitAsync();
            ShardUnderTest.AdvanceUntil(time, TimeSpan.FromSeconds(1), () => test.Shard.Writer.Stored.Position >= receipt.Id.High);
        }

        Assert.Equal(3, _store.Events.Count);
    }

    [Fact]
    public async Task A_store_that_hangs_is_noticed_by_the_positions()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var test = await ShardUnderTest.OpenAsync(_directory.At("a"), _store, journal: JournalUnderTest.Eager, time: time);
        _store.Hold();
        var receipt = await test.SubmitAsync();
        for (var i = 0; i < 29; i++) time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(test.Shard.Troubles());
        for (var i = 0; i < 5; i++) time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains(test.Shard.Troubles(), trouble => trouble.Contains("nothing was stored for 30 s", StringComparison.Ordinal));
        _store.Release();
        await test.StoredAsync(receipt.Id);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(SpinWait.SpinUntil(() => test.Shard.Troubles().Count == 0, ShardUnderTest.Patience));
    }

    [Fact]
    public async Task A_stop_while_the_store_is_away_leaves_the_rest_to_the_next_start()
    {
        _store.BeUnavailable(int.MaxValue);
        List<EventId> ids;
        await using (var test = await OpenAsync()) ids = await SubmitAsync(test, 50);
        Assert.Empty(_store.Events);
        _store.BeUnavailable(0);
        await using var again = await OpenAsync();
        await again.StoredAsync(ids[^1]);
        Assert.Equal(ids, Stored);
    }

    public void Dispose() => _directory.Dispose();

    private List<EventId> Stored => [.. _store.Events.Select(item => item.Id)];

    private Task<ShardUnderTest> OpenAsync() => ShardUnderTest.OpenAsync(_directory.At("a"), _store);

    private static async Task<List<EventId>> SubmitAsync(ShardUnderTest test, int count, string? dedup = null)
    {
        var ids = new List<EventId>();
        for (var i = 0; i < count; i++)
        {
            var receipt = await test.SubmitAsync(dedup is null ? "" : $"{dedup}{i}");
            Assert.Equal(ReceiptKind.Accepted, receipt.Kind);
            ids.Add(receipt.Id);
        }

        return ids;
    }
}
