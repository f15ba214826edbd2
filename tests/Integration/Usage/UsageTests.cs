using System.Globalization;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.DataRights;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Usage;

public sealed class PostgresUsageRoutesTests() : UsageTests(StoreKind.Postgres);

public sealed class SqliteUsageRoutesTests() : UsageTests(StoreKind.Sqlite);

/// <summary>What an organization used is told day by day, over a restart too.</summary>
public abstract class UsageTests(StoreKind store)
{
    // What is sent after midnight, or in the next month, belongs to the test as well.
    private readonly DateOnly _begun = Today;

    private static DateOnly Today => DateOnly.FromDateTime(DateTime.UtcNow);

    private string SinceBegun => $"?from={_begun:yyyy-MM-dd}";

    [Fact]
    public async Task Everything_is_counted_and_survives_a_restart()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        await using var receiver = await Receiver.StartAsync();
        var tenant = await server.NewTenantAsync();
        await server.SetLimitAsync(tenant, 12);
        var first = await tenant.SendEventAsync("""{"n":1}""", "one");
        (await tenant.PostEventAsync("""{"type":"a","payload":{"n":1},"dedup_id":"one"}""")).Duplicate();
        Assert.Equal(422, (await tenant.PostEventAsync("""{"type":"a","payload":{"n":2},"dedup_id":"one"}""")).Status);
        (await tenant.PostEventAsync("{")).InvalidJson();
        Assert.Equal(413, (await tenant.PostEventAsync($$"""{"type":"a","payload":{"n":"{{new string('x', 270_000)}}"} }""")).Status);
        await tenant.PostAsync($"/api/ack/{first}");
        await tenant.PostAsync($"/api/ack/{first}");
        await tenant.SetWebhookAsync(receiver.Url);
        var batch = await tenant.PostAsync(
            "/api/events/batch",
            """[{"type":"a","payload":{}},{"type":"","payload":{}},{"type":"a","payload":{},"dedup_id":"t"},{"type":"a","payload":{},"dedup_id":"t"}]""");
        Assert.Equal((2, 1, 1), ((int)batch.Json["accepted"]!, (int)batch.Json["duplicates"]!, (int)batch.Json["rejected"]!));
        var past = await tenant.PostAsync("/api/events/batch", $"[{string.Join(',', Enumerable.Repeat("""{"type":"a","payload":{}}""", 5))}]");
        Assert.Equal((3, 2), ((int)past.Json["accepted"]!, (int)past.Json["rejected"]!));
        Assert.Equal(429, (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Status);
        await Poll.UntilAsync(
            async () => (int)(await ReadAsync(tenant, SinceBegun))["totals"]!["delivered"]! == 5, "the webhooks are delivered");

        await AssertAsync(tenant, first);
        await server.StopAsync();
        await server.StartAsync();
        await AssertAsync(new Tenant(server, tenant.OrganizationId, tenant.Key), first);
    }

    [Fact]
    public async Task Days_are_asked_for_by_dates()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        await tenant.SendEventAsync("{}");

        var before = Today;
        var month = await ReadAsync(tenant);
        var today = DateOnly.Parse((string)month["to"]!, CultureInfo.InvariantCulture);
        Assert.InRange(today, before, Today);
        Assert.Equal(tenant.OrganizationId, (string?)month["organization_id"]);
        Assert.Equal($"{today:yyyy-MM}-01", (string?)month["from"]);
        Assert.Equal(today.Day, month["days"]!.AsArray().Count);

        var leap = await ReadAsync(tenant, "?from=2024-01-01&to=2024-12-31");
        Assert.Equal(366, leap["days"]!.AsArray().Count);
        Assert.Equal("2024-02-29", (string?)leap["days"]![59]!["date"]);
        Assert.Equal(0, (int)leap["totals"]!["accepted"]!);
        Assert.True((int)leap["quota"]!["used"]! == 1 || Today.Month != _begun.Month);
        Assert.Equal("2024-02-01", (string?)(await ReadAsync(tenant, "?to=2024-02-29"))["from"]);

        var last = await ReadAsync(tenant, "?to=9999-12-31");
        Assert.Equal(31, last["days"]!.AsArray().Count);
        Assert.Equal("9999-12-31", (string?)last["days"]![30]!["date"]);

        foreach (var (query, field) in ((string, string)[])[
            ("from=2024-13-01", "from"), ("to=2023-02-29", "to"), ("to=yesterday", "to"), ("from=2024-02-02&to=2024-02-01", "from"),
            ("from=2023-12-31&to=2024-12-31", "from"), ("from=1969-12-31&to=1970-01-02", "from"), ("to=2024-01-01&to=2024-01-02", "to")])
            (await tenant.GetAsync($"/api/usage?{query}")).InvalidField(field);
        (await server.AdminAsync(HttpMethod.Get, $"/api/admin/organizations/{tenant.OrganizationId}/usage?from=x")).InvalidField("from");
        var path = $"/api/admin/organizations/{tenant.OrganizationId}/usage";
        Assert.Equal(200, (await server.AdminAsync(HttpMethod.Get, $"{path}?to=9999-12-31")).Status);
        var seen = await server.AdminAsync(HttpMethod.Get, path + SinceBegun);
        Assert.Equal(1, (int)seen.Json["totals"]!["accepted"]!);
        Assert.Equal(404, (await server.AdminAsync(HttpMethod.Get, $"/api/admin/organizations/{Guid.NewGuid()}/usage")).Status);
    }

    [Fact]
    public async Task Other_organizations_are_not_counted_and_an_erased_one_leaves_nothing()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        var (tenant, other) = (await server.NewTenantAsync(name: "Gone"), await server.NewTenantAsync());
        await tenant.SendEventAsync("{}");
        await other.SendEventAsync("{}");
        await other.SendEventAsync("{}");
        Assert.Equal(2, (int)(await ReadAsync(other, SinceBegun))["totals"]!["accepted"]!);

        await server.AdminAsync(HttpMethod.Delete, $"/api/admin/organizations/{tenant.OrganizationId}", """{"confirm":"Gone"}""");

        await Poll.UntilAsync(
            async () =>
                Convert.ToInt64(
                    await Upgrades.FullStore.SqlAsync(server, "SELECT count(DISTINCT organization_no) FROM usage_days"), null) == 1,
            "its usage is gone");
    }

    private async Task AssertAsync(Tenant tenant, string first)
    {
        var totals = (await ReadAsync(tenant, SinceBegun))["totals"]!;
        Assert.Equal(
            """{"rate_limit":3,"quota":0,"duplicate":2,"invalid":3,"too_large":1,"unavailable":0}""", totals["refused"]!.ToJsonString());
        Assert.Equal((6, 5, 1), ((int)totals["accepted"]!, (int)totals["delivered"]!, (int)totals["acknowledged"]!));
        Assert.Equal(7 + (5 * 2), (int)totals["bytes"]!);
        Assert.Equal(6, (int)(await tenant.LedgerAsync())["accepted"]!);
        Assert.Equal(200, (await tenant.GetAsync($"/api/events/{first}")).Status);
    }

    private static async Task<JsonObject> ReadAsync(Tenant tenant, string query = "")
    {
        var reply = await tenant.GetAsync("/api/usage" + query);
        Assert.True(reply.Status == 200, reply.Text);
        return reply.Json;
    }
}
