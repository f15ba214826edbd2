using ZapierTriggers.Tests.Integration.DataRights;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Usage;

public sealed class PostgresQuotaTests() : QuotaTests(StoreKind.Postgres);

public sealed class SqliteQuotaTests() : QuotaTests(StoreKind.Sqlite);

/// <summary>A monthly quota lets exactly its events through, one by one, in batches and over a restart.</summary>
public abstract class QuotaTests(StoreKind store)
{
    private const string Event = """{"type":"a","payload":{}}""";
    private static readonly string[] On = ["Quota:Enabled=true", "Quota:PerMonth:Free=5", "Quota:PerMonth:Pro=7"];

    [Fact]
    public async Task Past_it_events_are_refused_until_the_month_ends()
    {
        await using var server = await ServerUnderTest.StartAsync(store, On);
        var tenant = await server.NewTenantAsync(tier: "free");
        for (var n = 0; n < 4; n++) (await tenant.PostEventAsync(Event)).Accepted();
        (await tenant.PostEventAsync("{")).InvalidJson(); // takes nothing
        await tenant.SendEventAsync("{}", "once");

        var problem = (await tenant.PostEventAsync(Event)).Problem(
            429, "quota_exceeded", "Monthly quota exceeded", "retry_after_seconds", "limit", "window");

        Assert.Equal((5, "month"), ((int)problem["limit"]!, (string)problem["window"]!));
        Assert.InRange((long)problem["retry_after_seconds"]!, 1, 31 * 24 * 3600);
        Assert.Equal(429, (await tenant.PostAsync("/api/events/batch", $"[{Event}]")).Status);
        var quota = (await tenant.GetAsync("/api/limits")).Json["quota"]!;
        Assert.Equal((5, 5, 0), ((int)quota["limit"]!, (int)quota["used"]!, (int)quota["remaining"]!));
        Assert.Equal(quota.ToJsonString(), (await tenant.GetAsync("/api/usage")).Json["quota"]!.ToJsonString());
        Assert.Equal(2, (int)(await tenant.GetAsync("/api/usage")).Json["totals"]!["refused"]!["quota"]!);

        await server.StopAsync();
        await server.StartAsync();
        var later = new Tenant(server, tenant.OrganizationId, tenant.Key);
        Assert.Equal(429, (await later.PostEventAsync(Event)).Status);
        await server.AdminAsync(HttpMethod.Patch, $"/api/admin/organizations/{tenant.OrganizationId}", """{"tier":"pro"}""");
        (await later.PostEventAsync(Event)).Accepted();
        (await later.PostEventAsync(Event)).Accepted();
        Assert.Equal(429, (await later.PostEventAsync(Event)).Status);
        Assert.Equal(7, (int)(await later.LedgerAsync())["accepted"]!);
    }

    [Fact]
    public async Task A_batch_is_refused_item_by_item_and_duplicates_take_nothing()
    {
        await using var server = await ServerUnderTest.StartAsync(store, On);
        var tenant = await server.NewTenantAsync(tier: "free");
        const string Once = """{"type":"a","payload":{},"dedup_id":"once"}""";
        var mixed = await tenant.PostAsync("/api/events/batch", $$"""[{{Once}},{{Once}},{{Event}},{"type":1},{{Event}}]""");
        Assert.Equal((3, 1, 1), ((int)mixed.Json["accepted"]!, (int)mixed.Json["duplicates"]!, (int)mixed.Json["rejected"]!));
        Assert.Equal(409, (await tenant.PostEventAsync(Once)).Status);

        var past = await tenant.PostAsync("/api/events/batch", $"[{Event},{Event},{Event}]");

        Assert.Equal((2, 1), ((int)past.Json["accepted"]!, (int)past.Json["rejected"]!));
        Assert.Equal("quota_exceeded", (string?)past.Json["results"]![2]!["code"]);
        Assert.Equal(5, (int)(await tenant.GetAsync("/api/limits")).Json["quota"]!["used"]!);
    }

    [Fact]
    public async Task Without_quotas_there_is_none()
    {
        await using var server = await ServerUnderTest.StartAsync(store, "Quota:PerMonth:Free=1");
        var tenant = await server.NewTenantAsync(tier: "free");
        for (var n = 0; n < 3; n++) (await tenant.PostEventAsync(Event)).Accepted();

        var quota = (await tenant.GetAsync("/api/usage")).Json["quota"]!;
        Assert.Equal((null, 3, null), ((int?)quota["limit"], (int)quota["used"]!, (int?)quota["remaining"]));
        Assert.Null((await tenant.GetAsync("/api/limits")).Json["quota"]!["limit"]);
    }

    [Fact]
    public async Task Organizations_are_told_once_and_that_counts_for_nothing()
    {
        await using var server = await ServerUnderTest.StartAsync(
            store, "Quota:Enabled=true", "Quota:PerMonth:Free=10", "Usage:Warnings=true");
        var tenant = await server.NewTenantAsync(tier: "free");
        await server.SetLimitAsync(tenant, 10);
        for (var n = 0; n < 8; n++) (await tenant.PostEventAsync(Event)).Accepted();
        await ToldAsync(tenant, "usage.quota_warning", "usage.rate_limit_warning");
        (await tenant.PostEventAsync(Event)).Accepted();
        (await tenant.PostEventAsync(Event)).Accepted();
        Assert.Equal(429, (await tenant.PostEventAsync(Event)).Status);
        string[] all = ["usage.quota_reached", "usage.quota_warning", "usage.rate_limit_reached", "usage.rate_limit_warning"];
        await ToldAsync(tenant, all);

        await server.StopAsync();
        await server.StartAsync();
        var later = new Tenant(server, tenant.OrganizationId, tenant.Key);
        Assert.Equal(429, (await later.PostEventAsync(Event)).Status);
        await Poll.UntilAsync(
            async () =>
                Convert.ToInt64(
                    await Upgrades.FullStore.SqlAsync(server, "SELECT count(*) FROM usage_news WHERE told_at IS NOT NULL"), null) == 4,
            "all news are remembered");

        // The last refusal is written behind a look at what there is to tell: had it told something again, that would be there.
        const string Refusals = "SELECT sum(events) FROM usage_days WHERE kind IN (11, 12)";
        await Poll.UntilAsync(
            async () => Convert.ToInt64(await Upgrades.FullStore.SqlAsync(server, Refusals), null) == 2, "the refusals are written");
        await ToldAsync(later, all);

        var quota = (await later.GetAsync("/api/limits")).Json["quota"]!;
        Assert.Equal(10, (int)quota["used"]!);
        Assert.Equal(14, (int)(await later.GetAsync("/api/usage")).Json["totals"]!["accepted"]!);
        var reached = (await later.ReadInboxAsync("&type=usage.quota_reached")).Single();
        Assert.Contains("\"limit\":10,\"used\":10,\"resets_at\":\"", reached.Payload, StringComparison.Ordinal);
    }

    private static async Task ToldAsync(Tenant tenant, params string[] types)
    {
        string[] seen = [];
        await Poll.UntilAsync(
            async () =>
            {
                seen = [.. (await tenant.ReadInboxAsync()).Select(one => one.Type).Where(
                    type => type.StartsWith("usage.", StringComparison.Ordinal))];
                return seen.Length >= types.Length;
            },
            $"{types.Length} are told");
        Assert.Equal(types, seen.Order(StringComparer.Ordinal));
    }
}
