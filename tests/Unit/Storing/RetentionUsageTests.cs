using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Tests.Unit.Usage;

namespace ZapierTriggers.Tests.Unit.Storing;

public sealed class RetentionUsageTests
{
    [Fact]
    public async Task Old_sums_go_once_a_day_until_there_are_none()
    {
        var scene = new UsageScene();
        var retention = new Retention(new Nothing(), new RetentionOptions(), () => [], (_, _) => { }, scene.Time, scene.Store);
        var before = UsageTime.DayOf(UsageScene.Start) - Retention.UsageDays;

        await retention.RunAsync(CancellationToken.None);
        Assert.Equal([before, before, before], scene.Store.Forgotten);
        scene.Time.Advance(TimeSpan.FromHours(11));
        await retention.RunAsync(CancellationToken.None);
        Assert.Equal(3, scene.Store.Forgotten.Count);
        scene.Time.Advance(TimeSpan.FromHours(2));
        await retention.RunAsync(CancellationToken.None);

        Assert.Equal([before, before, before, before + 1], scene.Store.Forgotten);
    }

    private sealed class Nothing : IRetentionStore
    {
        public Task<Expired> ExpireAsync(int organizationNo, EventId before, int limit, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<long> DropDaysAsync(EventId before, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ForgetErasedAsync(EventId hashesBefore, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
