using ZapierTriggers.Core.Events;
using ZapierTriggers.Tests.Unit.Journal;
using ZapierTriggers.Tests.Unit.Sequencing;

namespace ZapierTriggers.Tests.Unit.Storing;

/// <summary>A start stores what a former process left, but for what was erased meanwhile.</summary>
public sealed class LateErasedEventsTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly StoreModel _store = new();
    private readonly List<EventId> _told = [];

    [Theory]
    [InlineData(0b0010)]
    [InlineData(0b1000)]
    [InlineData(0b1011)]
    [InlineData(0b1111)]
    public async Task What_was_erased_meanwhile_is_noted_and_not_stored(int erased)
    {
        var ids = await LeaveAsync(4);
        var gone = ids.Where((_, index) => (erased >> index & 1) != 0).ToList();
        _store.ErasedMeanwhile = item => gone.Contains(item.Id);
        _store.BeUnavailable(3);

        await using (var again = await OpenAsync())
        {
            await again.StoredAsync(ids[^1]);
            var next = (await again.SubmitAsync()).Id;
            await again.StoredAsync(next);
            Assert.True(SpinWait.SpinUntil(() => (again.Shard.Bound.Events, again.Shard.Bound.Bytes) == (0, 0), ShardUnderTest.Patience));
            ids.Add(next);
        }

        Assert.Equal(ids.Except(gone), _store.Events.Select(item => item.Id));
        Assert.Equal(gone, _store.NotedErased);
        Assert.Equal(gone, _told);

        // What it has passed it does not look at again.
        var looks = _store.ErasureLooks;
        await using (var third = await OpenAsync()) await third.StoredAsync((await third.SubmitAsync()).Id);
        Assert.Equal(looks, _store.ErasureLooks);
    }

    [Fact]
    public async Task A_row_that_is_refused_among_them_is_still_the_only_one_set_aside()
    {
        var ids = await LeaveAsync(9);
        _store.ErasedMeanwhile = item => item.Id == ids[1] || item.Id == ids[5];
        _store.Refuses = item => item.Id == ids[4];

        await using (var again = await OpenAsync()) await again.StoredAsync(ids[^1]);

        Assert.Equal(ids[4], Assert.Single(_store.Quarantined).Event.Id);
        Assert.Equal([ids[0], ids[2], ids[3], ids[6], ids[7], ids[8]], _store.Events.Select(item => item.Id));
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>One life whose events are not stored.</summary>
    private async Task<List<EventId>> LeaveAsync(int count)
    {
        var ids = new List<EventId>();
        await using (var test = await OpenAsync())
        {
            _store.IsAway = true;
            for (var n = 0; n < count; n++) ids.Add((await test.SubmitAsync()).Id);
        }

        _store.IsAway = false;
        return ids;
    }

    private Task<ShardUnderTest> OpenAsync() => ShardUnderTest.OpenAsync(
        _directory.Path, _store, erasedLate: erased => _told.AddRange(erased.Select(one => one.Event.Id)));
}
