using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Usage;

public sealed class MonthlyQuotasTests
{
    private readonly UsageScene _scene = new();

    [Fact]
    public async Task It_starts_with_what_is_stored_and_what_the_journal_still_holds()
    {
        _scene.Quotas.CountUnstored()(EventAt(UsageScene.Start)); // a recovery that began anew
        var unstored = _scene.Quotas.CountUnstored();
        unstored(EventAt(UsageScene.Start));
        unstored(EventAt(UsageScene.Start) with { IsOperational = true });
        unstored(EventAt(UsageScene.Start.AddDays(-28))); // of the month before
        _scene.Store.Quotas.Add(new QuotaSum(_scene.Organization.No, 3, 4));

        await _scene.Quotas.LoadAsync(_scene.Store, Guid.Empty, CancellationToken.None);

        var state = _scene.Quotas.StateOf(_scene.Organization);
        Assert.Equal((10L, 8L, 2L), (state.Limit, state.Used, state.Remaining));
        Assert.Equal(new DateTimeOffset(2028, 3, 1, 0, 0, 0, TimeSpan.Zero), state.ResetsAt);
    }

    [Fact]
    public async Task Others_are_asked_for_where_somebody_sends()
    {
        await _scene.Quotas.RefreshAsync(_scene.Store, Guid.Empty, CancellationToken.None);
        Assert.Empty(_scene.Store.Asked);
        Assert.True(_scene.Quotas.TryTake(_scene.Organization));
        _scene.Store.Quotas.Add(new QuotaSum(_scene.Organization.No, 1, 9));

        await _scene.Quotas.RefreshAsync(_scene.Store, Guid.Empty, CancellationToken.None);

        Assert.Equal([_scene.Organization.No], Assert.Single(_scene.Store.Asked) ?? []);
        Assert.False(_scene.Quotas.TryTake(_scene.Organization));
    }

    [Fact]
    public void A_tier_without_a_quota_is_never_spent()
    {
        _scene.Organization.Update(_scene.Organization.Record with { Tier = "enterprise" });

        for (var n = 0; n < 100; n++) Assert.True(_scene.Quotas.TryTake(_scene.Organization));

        Assert.Equal((null, 100L, null), (_scene.Quotas.StateOf(_scene.Organization).Limit, _scene.Organization.Quota.Used, _scene.Quotas.StateOf(_scene.Organization).Remaining));
    }

    [Fact]
    public async Task What_cannot_be_written_stays_counted_and_is_read_meanwhile()
    {
        _scene.Organization.Usage.Add(UsageKind.Invalid, 3);
        _scene.Store.IsAway = true;
        await Assert.ThrowsAsync<StoreException>(() => _scene.Upkeep.WriteAsync(CancellationToken.None));
        _scene.Store.IsAway = false;
        Assert.Equal(3, await InvalidAsync());

        await _scene.Upkeep.WriteAsync(CancellationToken.None);

        Assert.Equal(3, await InvalidAsync());
        Assert.Equal(3, Assert.Single(_scene.Store.Sums).Events);
        Assert.Equal(0, _scene.Organization.Usage.Peek(UsageKind.Invalid));
    }

    [Fact]
    public async Task Others_are_asked_for_where_somebody_only_asks()
    {
        Assert.Equal(0, _scene.Quotas.StateOf(_scene.Organization).Used);
        _scene.Store.Quotas.Add(new QuotaSum(_scene.Organization.No, 0, 9));

        await _scene.Quotas.RefreshAsync(_scene.Store, Guid.Empty, CancellationToken.None);

        Assert.Equal(9, _scene.Quotas.StateOf(_scene.Organization).Used);
    }

    [Fact]
    public async Task Nobody_waits_for_a_read_and_a_read_under_a_write_is_done_again()
    {
        _scene.Organization.Usage.Add(UsageKind.Invalid, 3);
        var gate = new TaskCompletionSource();
        _scene.Store.ReadGate = gate.Task;
        var (one, two) = (InvalidAsync(), InvalidAsync());
        Assert.Equal(2, _scene.Store.Reads);
        await _scene.Upkeep.WriteAsync(CancellationToken.None);

        gate.SetResult();

        Assert.Equal((3, 3), (await one, await two));
        Assert.Equal(4, _scene.Store.Reads);
    }

    [Fact]
    public async Task What_is_on_its_way_is_waited_for()
    {
        _scene.Organization.Usage.Add(UsageKind.Invalid, 3);
        var gate = new TaskCompletionSource();
        _scene.Store.WriteGate = gate.Task;
        var write = _scene.Upkeep.WriteAsync(CancellationToken.None);
        var read = InvalidAsync();
        Assert.False(read.IsCompleted);

        gate.SetResult();

        await write;
        Assert.Equal(3, await read);
    }

    private async Task<long> InvalidAsync()
    {
        var today = UsageTime.DayOf(UsageScene.Start);
        return (await _scene.Upkeep.ReadAsync(_scene.Organization, today, today, CancellationToken.None)).Sum(sum => sum.Events);
    }

    private JournaledEvent EventAt(DateTimeOffset at) =>
        TestEvent.Numbered(1, EventId.LowerBound(at)).ToJournaled() with { OrganizationNo = _scene.Organization.No };
}
