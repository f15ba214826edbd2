using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Accounts;

public sealed class PostgresOrganizationsTests(PostgresBackedServer fixture) : OrganizationsTests<PostgresBackedServer>(fixture);

public sealed class SqliteOrganizationsTests(SqliteServer fixture) : OrganizationsTests<SqliteServer>(fixture);

/// <summary>What the administrator sees and changes, and what the audit log says of it.</summary>
public abstract class OrganizationsTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Path = "/api/admin/organizations";
    private const string Event = """{"type":"a","payload":{}}""";

    private ServerUnderTest Server => fixture.Server;

    [Fact]
    public async Task Are_listed_newest_first_page_by_page_and_searched()
    {
        var mark = Guid.NewGuid().ToString("N");
        var made = new List<string>();
        for (var i = 0; i < 7; i++)
            made.Add((await Server.NewTenantAsync(tier: i % 2 == 0 ? "pro" : "free", name: $"Search {mark.ToUpperInvariant()} {i}")).OrganizationId);
        await AdminAsync(HttpMethod.Post, $"{Path}/{made[3]}/suspend", "{}");

        var seen = new List<string>();
        var cursor = "";
        do
        {
            var page = (await AdminAsync(HttpMethod.Get, $"{Path}?search={mark}&limit=2{cursor}")).Json;
            Assert.Equal(["organizations", "next_cursor", "has_more", "count", "limit"], page.Select(pair => pair.Key));
            seen.AddRange(page["organizations"]!.AsArray().Select(one => (string)one!["organization_id"]!));
            cursor = (string?)page["next_cursor"] is { } next ? $"&cursor={next}" : "";
            Assert.Equal(cursor.Length > 0, (bool)page["has_more"]!);
        }
        while (cursor.Length > 0);

        // Those made in one millisecond stand in the order of their ids.
        Assert.Equal(made.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.Equal(["3"], await NamesAsync($"search={mark}&status=suspended"));
        Assert.Equal(["0", "2", "4", "6"], await NamesAsync($"search={mark}&tier=professional"));
        Assert.Equal(["5"], await NamesAsync($"search={made[5]}"));
        var first = (await AdminAsync(HttpMethod.Get, $"{Path}?search={mark}&limit=1")).Json["organizations"]![0]!.AsObject();
        Assert.Equal(
            ["organization_id", "organization_name", "tier", "rate_limit_per_minute", "status", "suspended_at", "suspended_reason", "created_at", "updated_at"],
            first.Select(pair => pair.Key));
    }

    [Theory]
    [InlineData("tier=gold", "tier")]
    [InlineData("status=gone", "status")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=a", "limit")]
    [InlineData("cursor=a", "cursor")]
    [InlineData("cursor=1_2", "cursor")]
    [InlineData("search=a&search=b", "search")]
    public async Task A_bad_parameter_is_named(string query, string field) =>
        (await AdminAsync(HttpMethod.Get, $"{Path}?{query}")).InvalidField(field);

    [Fact]
    public async Task One_is_shown_with_its_keys_and_its_name_can_be_changed()
    {
        var tenant = await Server.NewTenantAsync();
        await tenant.SetWebhookAsync("http://127.0.0.1:9/hook");

        var changed = await AdminAsync(HttpMethod.Patch, $"{Path}/{tenant.OrganizationId}", """{"name":"Größe","tier":"pro"}""");
        var shown = (await AdminAsync(HttpMethod.Get, $"{Path}/{tenant.OrganizationId}")).Json;

        Assert.Equal(
            ("Größe", "pro", "active"),
            ((string?)changed.Json["organization_name"], (string?)changed.Json["tier"], (string?)changed.Json["status"]));
        Assert.Equal(("Größe", "http://127.0.0.1:9/hook"), ((string?)shown["organization_name"], (string?)shown["webhook_url"]));
        Assert.Single(shown["keys"]!.AsArray());
        Assert.DoesNotContain(tenant.Key, shown.ToJsonString(), StringComparison.Ordinal);
        (await AdminAsync(HttpMethod.Patch, $"{Path}/{tenant.OrganizationId}", """{"name":" "}""")).InvalidField("name");
        (await AdminAsync(HttpMethod.Get, $"{Path}/{Guid.NewGuid()}")).Problem(404, "organization_not_found", "Organization not found");
        (await AdminAsync(HttpMethod.Post, $"{Path}/{Guid.NewGuid()}/suspend")).Problem(
            404, "organization_not_found", "Organization not found");
        (await AdminAsync(HttpMethod.Post, $"{Path}/nonsense/keys")).Problem(404, "organization_not_found", "Organization not found");
    }

    [Fact]
    public async Task A_suspended_ones_webhooks_wait_and_go_out_when_it_is_resumed()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var sentinel = await Receiver.StartAsync();
        var (tenant, other) = (await Server.NewTenantAsync(), await Server.NewTenantAsync());
        await tenant.SetWebhookAsync(receiver.Url);
        await other.SetWebhookAsync(sentinel.Url);
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var id = (await tenant.PostEventAsync(Event)).Accepted();
        await Poll.UntilAsync(() => receiver.Requests.Count == 1, "the first try");

        var suspended = (await AdminAsync(HttpMethod.Post, $"{Path}/{tenant.OrganizationId}/suspend", """{"reason":"unpaid"}""")).Json;
        Assert.Equal(("suspended", "unpaid"), ((string?)suspended["status"], (string?)suspended["suspended_reason"]));
        (await tenant.PostEventAsync(Event)).Problem(403, "organization_suspended", "Organization suspended");

        // By the time that the other's later retry has come, the suspended one's earlier one would have.
        sentinel.Answer = (context, received) =>
        {
            context.Response.StatusCode = sentinel.CountOf(received.Id) == 1 ? 500 : 200;
            return Task.CompletedTask;
        };
        var others = (await other.PostEventAsync(Event)).Accepted();
        await Poll.UntilAsync(() => sentinel.CountOf(others) == 2, "the other's retry");
        Assert.Single(receiver.Requests);

        receiver.Answer = (_, _) => Task.CompletedTask;
        Assert.Equal("active", (string?)(await AdminAsync(HttpMethod.Post, $"{Path}/{tenant.OrganizationId}/resume")).Json["status"]);
        await Poll.UntilAsync(() => receiver.CountOf(id) == 2, "the retry after the suspension");
        var later = (await tenant.PostEventAsync(Event)).Accepted();
        await Poll.UntilAsync(() => receiver.CountOf(later) == 1, "an event after the suspension");
    }

    [Fact]
    public async Task An_owner_without_a_key_gets_one()
    {
        var tenant = await Server.NewTenantAsync();

        var made = await AdminAsync(
            HttpMethod.Post, $"{Path}/{tenant.OrganizationId}/keys", """{"name":"found again","scopes":["keys:manage","inbox:read"]}""");

        Assert.Equal(201, made.Status);
        var owner = new Tenant(Server, tenant.OrganizationId, (string)made.Json["api_key"]!);
        Assert.Equal(2, (await owner.GetAsync("/api/keys")).Json["keys"]!.AsArray().Count);
        var own = await AdminAsync(HttpMethod.Post, $"{Path}/{tenant.OrganizationId}/keys");
        Assert.Equal(5, own.Json["scopes"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_admin_token_of_a_setting_is_not_rotated_here() =>
        (await AdminAsync(HttpMethod.Post, "/api/admin/token/rotate")).Problem(409, "admin_token_is_setting", "Admin token is a setting");

    private async Task<List<string>> NamesAsync(string query)
    {
        var page = (await AdminAsync(HttpMethod.Get, $"{Path}?{query}")).Json;
        return [.. page["organizations"]!.AsArray().Select(one => ((string)one!["organization_name"]!)[^1..]).Order(StringComparer.Ordinal)];
    }

    private Task<Reply> AdminAsync(HttpMethod method, string path, string? body = null) => new Tenant(Server, "", "").SendAsync(
        method, path, body is null ? null : Encoding.UTF8.GetBytes(body), ("X-API-Key", Server.AdminToken));
}
