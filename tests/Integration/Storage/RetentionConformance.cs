using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresRetentionTests(PostgresFixture fixture) : RetentionConformance<PostgresFixture>(fixture)
{
    [Fact]
    public async Task A_day_that_is_past_all_retentions_is_dropped()
    {
        await using var own = new OwnFixture<PostgresFixture>();
        var scene = await DeliveryScene.SetAsync(await own.OpenAsync());
        var old = await scene.AppendAsync(scene.Events.Next(), scene.Events.Next());
        scene.Events.UnixMilliseconds += (long)TimeSpan.FromDays(3).TotalMilliseconds;
        var kept = await scene.AppendAsync(scene.Events.Next());
        await scene.RecordAsync(scene.Delivered(old[0]), scene.Delivered(kept[0]));
        var midnight = EventId.LowerBound(new DateTimeOffset(2026, 3, 11, 0, 0, 0, TimeSpan.Zero));

        Assert.Equal(2, await own.Fixture.Stores.Data.Retention.DropDaysAsync(midnight, CancellationToken.None));

        Assert.Null(await own.Fixture.ScalarAsync("SELECT to_regclass('events_20260310')::text") as string);
        Assert.Equal(kept, (await own.Fixture.ReadAllAsync(scene.OrganizationNo)).Select(stored => stored.Id));
        var ledger = await own.Fixture.Stores.Data.Ledger.ReadAsync(scene.OrganizationNo, CancellationToken.None);
        Assert.Equal((3, 2, 1), (ledger.Accepted, ledger.Expired, ledger.Delivered));
        Assert.Empty(await own.Fixture.Stores.Data.Ledger.FindDifferencesAsync(10, CancellationToken.None));
        Assert.Empty(await own.Fixture.Stores.Data.Ledger.FindOrphansAsync(CancellationToken.None));
    }
}

public sealed class SqliteRetentionTests(SqliteFixture fixture) : RetentionConformance<SqliteFixture>(fixture);

/// <summary>Expired events go with all that hangs on them, each is counted, and nothing else goes.</summary>
public abstract class RetentionConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture, new()
{
    private static readonly string[] Hanging = ["outcomes", "attempts", "retries", "acks"];

    [Fact]
    public async Task What_has_expired_goes_with_all_that_hangs_on_it()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var old = await scene.AppendAsync(4);
        scene.Events.UnixMilliseconds += 60_000;
        var kept = await scene.AppendAsync(2);
        await scene.RecordAsync(
            scene.Delivered(old[0]), scene.Dead(old[1], 1), scene.Failed(
                old[2], 1, StoreFixture.Noon.AddHours(1)), scene.Delivered(kept[0]));
        await scene.AcknowledgeAsync(StoreFixture.Noon, old[3], kept[1]);

        var step = await fixture.Stores.Data.Retention.ExpireAsync(scene.OrganizationNo, kept[0], 100, CancellationToken.None);

        Assert.Equal(new Expired(4, 1, IsDone: true), step);
        Assert.Equal(kept, (await fixture.ReadAllAsync(scene.OrganizationNo)).Select(stored => stored.Id));
        foreach (var table in Hanging)
        {
            var expected = table is "outcomes" or "acks" ? 1L : 0L;
            Assert.Equal(
                expected, await fixture.ScalarAsync($"SELECT count(*) FROM {table} WHERE organization_no = {scene.OrganizationNo}"));
        }

        var ledger = await LedgerAsync(scene.OrganizationNo);
        Assert.Equal((6, 4, 1, 1), (ledger.Accepted, ledger.Expired, ledger.Delivered, ledger.Acknowledged));
        Assert.Equal(ledger.Accepted, ledger.Accounted);
    }

    [Fact]
    public async Task It_goes_in_steps_and_a_late_result_is_swept()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(5);
        var retention = fixture.Stores.Data.Retention;
        var before = new EventId(ids[^1].High + 1, 0);

        Assert.Equal(
            new Expired(3, 0, IsDone: false), await retention.ExpireAsync(scene.OrganizationNo, before, 3, CancellationToken.None));
        await scene.RecordAsync(scene.Delivered(ids[0]));
        Assert.Equal(new Expired(2, 0, IsDone: true), await retention.ExpireAsync(scene.OrganizationNo, before, 3, CancellationToken.None));

        Assert.Equal(0L, await fixture.ScalarAsync($"SELECT count(*) FROM outcomes WHERE organization_no = {scene.OrganizationNo}"));
        Assert.Equal(5, (await LedgerAsync(scene.OrganizationNo)).Expired);
    }

    [Fact]
    public async Task A_lane_behind_expired_events_goes_on()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(5);

        await fixture.Stores.Data.Retention.ExpireAsync(scene.OrganizationNo, ids[3], 100, CancellationToken.None);

        var page = await scene.ReadLaneAsync(default);
        Assert.Equal(ids[3..], page.Events.Select(due => due.Id));
        Assert.Equal(ids[^1], page.ScannedThrough);
    }

    [Fact]
    public async Task An_expired_event_does_not_come_back_from_a_journal()
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        var (old, kept) = (events.Next(), events.Next());
        await (await fixture.NewShardAsync()).AppendAsync(old, kept);

        await fixture.Stores.Data.Retention.ExpireAsync(events.OrganizationNo, kept.Id, 100, CancellationToken.None);

        var known = await fixture.Stores.Replays.FindKnownAsync(new[] { old, kept }, CancellationToken.None);
        Assert.Equal((kept.Id, old.Id), (Assert.Single(known.There), Assert.Single(known.Removed)));
    }

    [Fact]
    public async Task Each_tier_keeps_its_events_for_its_own_time()
    {
        await using var own = new OwnFixture<T>();
        var store = await own.OpenAsync();
        var now = StoreFixture.Noon;
        store.Time.SetUtcNow(now.AddDays(60));
        var writer = await store.NewShardAsync();
        var organizations = new List<Organization>();
        foreach (var tier in (string[])["free", "pro", "business", "odd"]) organizations.Add(await AddAsync(writer, tier, now));
        var gone = new List<int>();
        var retention = new Retention(
            store.Stores.Data.Retention, new RetentionOptions { BusinessDays = 0 }, () =>
                organizations, (no, _) => gone.Add(no), store.Time);

        await retention.RunAsync(CancellationToken.None);

        long[] left = [.. await Task.WhenAll(organizations.Select(async one => (long)(await store.ReadAllAsync(one.No)).Count))];
        Assert.Equal([1, 2, 3, 3], left);
        Assert.Equal([organizations[0].No, organizations[1].No], gone);
        Assert.Equal(3, retention.Events);
        await retention.RunAsync(CancellationToken.None);
        Assert.Equal(3, retention.Events);
        Assert.Empty(await store.Stores.Data.Ledger.FindDifferencesAsync(10, CancellationToken.None));
    }

    /// <summary>An organization with events that are 60, 20 and 1 day old.</summary>
    private static async Task<Organization> AddAsync(ShardWriter writer, string tier, DateTimeOffset now)
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        var batch = new List<JournaledEvent>();
        foreach (var day in (int[])[0, 40, 59])
        {
            events.UnixMilliseconds = now.AddDays(day).ToUnixTimeMilliseconds();
            batch.Add(events.Next());
        }

        await writer.AppendAsync([.. batch]);
        return new Organization(new OrganizationRecord
        {
            No = events.OrganizationNo,
            Id = Guid.NewGuid(),
            Name = tier,
            Tier = tier,
            RateLimitPerMinute = null,
            Route = "route",
            CreatedAt = now,
            UpdatedAt = now,
        });
    }

    private Task<Ledger> LedgerAsync(int organizationNo) => fixture.Stores.Data.Ledger.ReadAsync(organizationNo, CancellationToken.None);
}

/// <summary>A database of one test's own, for what concerns all organizations.</summary>
public sealed class OwnFixture<T> : IAsyncDisposable
    where T : StoreFixture, new()
{
    public T Fixture { get; } = new();

    public async Task<T> OpenAsync()
    {
        await Fixture.InitializeAsync();
        return Fixture;
    }

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();
}
