using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresUsageTests(PostgresFixture fixture) : UsageConformance<PostgresFixture>(fixture);

public sealed class SqliteUsageTests(SqliteFixture fixture) : UsageConformance<SqliteFixture>(fixture);

/// <summary>Usage is counted with what it counts, and adds up.</summary>
public abstract class UsageConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture, new()
{
    private static readonly int Day = UsageTime.DayOf(StoreFixture.Noon);

    private IUsageStore Usage => fixture.Stores.Data.Usage;

    [Fact]
    public async Task Accepted_events_and_bytes_are_counted_by_day_with_the_batch()
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        var shard = await fixture.NewShardAsync();
        await shard.AppendAsync(events.Next(payload: """{"a":1}"""), events.Next(payload: "{}") with { IsOperational = true });
        events.UnixMilliseconds = StoreFixture.Noon.AddDays(1).ToUnixTimeMilliseconds();
        await shard.AppendAsync(events.Next(payload: "{}"));
        await shard.AppendAsync(events.Next(payload: "{}"));

        Assert.Equal(
            [
                new(events.OrganizationNo, Day, UsageKind.Accepted, 2, 9), new(events.OrganizationNo, Day, UsageKind.Operational, 1),
                new(events.OrganizationNo, Day + 1, UsageKind.Accepted, 2, 4),
            ],
            await ReadAsync(events.OrganizationNo, Day, Day + 1));
        Assert.Equal(4, (await fixture.Stores.Data.Ledger.ReadAsync(events.OrganizationNo, CancellationToken.None)).Accepted);
        Assert.Equal([Day + 1], (await ReadAsync(events.OrganizationNo, Day + 1, Day + 9)).Select(sum => sum.Day));
    }

    [Fact]
    public async Task A_batch_that_comes_twice_is_counted_once_and_a_failed_one_is_not()
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        var shard = await fixture.NewShardAsync();
        var (batch, from) = (events.Many(3), shard.At);
        await shard.AppendAsync(batch);
        await fixture.Stores.Events.AppendAsync(shard.Claim, from, shard.At, batch, CancellationToken.None); // its COMMIT's reply was lost

        var twin = events.Next() with { Id = batch[0].Id };
        await Assert.ThrowsAsync<StoreException>(() => shard.AppendAsync(events.Next(), twin));

        Assert.Equal(3, Assert.Single(await ReadAsync(events.OrganizationNo, Day, Day)).Events);
    }

    [Fact]
    public async Task What_is_set_aside_is_counted()
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        var shard = await fixture.NewShardAsync();
        var refused = events.Next(payload: "{}");

        await fixture.Stores.Events.QuarantineAsync(shard.Claim, shard.At, shard.After([refused]), refused, "why", CancellationToken.None);

        Assert.Equal([new(events.OrganizationNo, Day, UsageKind.Accepted, 1, 2)], await ReadAsync(events.OrganizationNo, Day, Day));
    }

    [Fact]
    public async Task A_delivery_is_counted_once_however_often_it_is_recorded()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(3);
        await scene.RecordAsync(scene.Delivered(ids[0]), scene.Delivered(ids[1]));
        await scene.RecordAsync(scene.Delivered(ids[0]), scene.Delivered(ids[1]));
        await scene.RecordAsync(scene.Failed(ids[2], 1, StoreFixture.Noon.AddHours(1)), scene.Delivered(ids[0]));

        Assert.Equal(2, await DeliveredAsync(scene.OrganizationNo));

        await scene.RecordAsync(scene.Dead(ids[2], 2));
        Assert.Equal(2, await DeliveredAsync(scene.OrganizationNo));
    }

    [Fact]
    public async Task Sums_add_up_and_the_oldest_go()
    {
        var (no, other) = (await KnownOrganization.NewAsync(fixture), await KnownOrganization.NewAsync(fixture));
        UsageSum[] sums =
            [new(no, Day, UsageKind.Invalid, 2), new(no, Day, UsageKind.Acknowledged, 1), new(other, Day, UsageKind.Invalid, 7)];
        await Usage.AddAsync(sums, CancellationToken.None);
        await Usage.AddAsync(sums, CancellationToken.None);
        await Usage.AddAsync([], CancellationToken.None);
        await Usage.AddAsync(
            [new(no, 100, UsageKind.Invalid, 5), new(no, 99, UsageKind.Invalid, 5), new(no, 98, UsageKind.Invalid, 5)],
            CancellationToken.None);

        Assert.True(await Usage.ForgetAsync(101, 2, CancellationToken.None));
        Assert.False(await Usage.ForgetAsync(101, 2, CancellationToken.None));

        Assert.Equal(
            [new(no, Day, UsageKind.Acknowledged, 2), new(no, Day, UsageKind.Invalid, 4)], await ReadAsync(no, 0, int.MaxValue));
    }

    [Fact]
    public async Task Retention_keeps_sums_for_400_days()
    {
        await using var own = new OwnFixture<T>();
        var store = await own.OpenAsync();
        var usage = store.Stores.Data.Usage;
        var (no, today) = (await KnownOrganization.NewAsync(store), UsageTime.DayOf(store.Time.GetUtcNow()));
        await usage.AddAsync(
            [new(no, today - 401, UsageKind.Invalid, 1), new(no, today - 400, UsageKind.Invalid, 1)], CancellationToken.None);
        var retention = new Retention(store.Stores.Data.Retention, new RetentionOptions(), () => [], (_, _) => { }, store.Time, usage);

        await retention.RunAsync(CancellationToken.None);

        Assert.Equal([today - 400], (await usage.ReadAsync(no, 0, int.MaxValue, CancellationToken.None)).Select(sum => sum.Day));
    }

    [Fact]
    public async Task A_quota_counts_own_and_others_events_of_the_month_but_not_what_the_server_told()
    {
        var events = new TestEvents(await KnownOrganization.NewAsync(fixture));
        var (one, other) = (await fixture.NewShardAsync(), await fixture.NewShardAsync());
        await one.AppendAsync(events.Next(), events.Next(), events.Next() with { IsOperational = true });
        await other.AppendAsync(events.Next());
        events.UnixMilliseconds = StoreFixture.Noon.AddDays(30).ToUnixTimeMilliseconds();
        await other.AppendAsync(events.Next());
        await Usage.AddAsync([new(events.OrganizationNo, Day, UsageKind.Invalid, 9)], CancellationToken.None);

        foreach (var asked in (int[]?[])[null, [events.OrganizationNo]])
        {
            var found = await Usage.ReadQuotaAsync(asked, Day, Day + 1, one.Claim.JournalId, CancellationToken.None);
            Assert.Equal(new QuotaSum(events.OrganizationNo, 2, 1), found.Single(sum => sum.OrganizationNo == events.OrganizationNo));
        }

        Assert.Empty(await Usage.ReadQuotaAsync([StoreFixture.NextNumber()], Day, Day + 1, one.Claim.JournalId, CancellationToken.None));
    }

    [Fact]
    public async Task A_day_that_is_not_the_ledgers_is_found()
    {
        await using var own = new OwnFixture<T>();
        var store = await own.OpenAsync();
        var events = new TestEvents(StoreFixture.NextNumber());
        await (await store.NewShardAsync()).AppendAsync(events.Many(3));
        Assert.Empty(await store.Stores.Data.Usage.FindDifferencesAsync(0, 10, CancellationToken.None));

        await store.ScalarAsync("UPDATE usage_days SET events = 2");

        Assert.Equal(
            [new UsageDifference(events.OrganizationNo, Day, 3, 2)],
            await store.Stores.Data.Usage.FindDifferencesAsync(Day, 10, CancellationToken.None));
        Assert.Empty(await store.Stores.Data.Usage.FindDifferencesAsync(Day + 1, 10, CancellationToken.None));
    }

    [Fact]
    public async Task News_are_claimed_by_one_until_they_are_due_again()
    {
        var (no, now) = (await KnownOrganization.NewAsync(fixture), StoreFixture.Noon);
        Assert.True(await ClaimAsync(no, now));
        Assert.False(await ClaimAsync(no, now.AddSeconds(30)));
        Assert.True(await ClaimAsync(no, now.AddMinutes(2))); // whoever had it has died
        await Usage.NoteToldAsync(no, UsageNews.RateLimitWarning, now.AddMinutes(2), CancellationToken.None);

        Assert.False(await ClaimAsync(no, now.AddMinutes(60)));
        Assert.True(await ClaimAsync(no, now.AddMinutes(63)));
        Assert.True(await Usage.ClaimNewsAsync(no, UsageNews.QuotaWarning, now, now, CancellationToken.None));
    }

    [Fact]
    public async Task An_organization_that_is_erased_gets_neither_sums_nor_news()
    {
        var (gone, there) = (StoreFixture.NextNumber(), await KnownOrganization.NewAsync(fixture));

        await Usage.AddAsync([new(gone, Day, UsageKind.Invalid, 1), new(there, Day, UsageKind.Invalid, 1)], CancellationToken.None);

        Assert.Empty(await ReadAsync(gone, 0, int.MaxValue));
        Assert.Single(await ReadAsync(there, 0, int.MaxValue));
        Assert.False(await ClaimAsync(gone, StoreFixture.Noon));
        var news = await fixture.ScalarAsync($"SELECT count(*) FROM usage_news WHERE organization_no = {gone}");
        Assert.Equal(0L, Convert.ToInt64(news, null));
    }

    private Task<bool> ClaimAsync(int no, DateTimeOffset now) => Usage.ClaimNewsAsync(
        no, UsageNews.RateLimitWarning, UsageNewsTimes.ToldBefore(UsageNews.RateLimitWarning, now), now, CancellationToken.None);

    private async Task<long> DeliveredAsync(int no) =>
        (await ReadAsync(no, 0, int.MaxValue)).Where(sum => sum.Kind == UsageKind.Delivered).Sum(sum => sum.Events);

    private async Task<IReadOnlyList<UsageSum>> ReadAsync(int no, int from, int to) =>
        [.. (await Usage.ReadAsync(no, from, to, CancellationToken.None)).OrderBy(sum => sum.Day).ThenBy(sum => sum.Kind)];
}
