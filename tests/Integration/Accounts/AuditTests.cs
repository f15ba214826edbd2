using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Accounts;

public sealed class PostgresAuditTests(PostgresBackedServer fixture) : AuditTests<PostgresBackedServer>(fixture);

public sealed class SqliteAuditTests(SqliteServer fixture) : AuditTests<SqliteServer>(fixture);

/// <summary>Every call that changes something is in the audit log, with who, what, when and from where, and without a secret.</summary>
public abstract class AuditTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Secret = "header-secret-of-the-tests";

    private ServerUnderTest Server => fixture.Server;

    [Fact]
    public async Task Has_each_call_once_in_order_without_a_secret()
    {
        var tenant = await Server.NewTenantAsync(tier: "free");
        var shown = new StringBuilder().Append(tenant.Key).Append('\n');
        var expected = new List<string> { "organization.create" };

        var key = await DoneAsync(tenant, "key.create", "POST", "/api/keys", """{"name":"a","scopes":["keys:manage","webhooks:manage"]}""");
        var endpoint = await DoneAsync(tenant, "endpoint.create", "POST", "/api/endpoints", $$$"""{"url":"http://127.0.0.1:9/?token={{{Secret}}}","headers":{"Authorization":"{{{Secret}}}"}}""");
        var id = (string)endpoint["id"]!;
        await DoneAsync(tenant, "endpoint.update", "PATCH", $"/api/endpoints/{id}", """{"enabled":false}""");
        await DoneAsync(tenant, "endpoint.update", "PATCH", $"/api/endpoints/{id}", """{"enabled":true}""");
        await DoneAsync(tenant, "endpoint.rotate_secret", "POST", $"/api/endpoints/{id}/rotate-secret");
        await DoneAsync(tenant, "endpoint.set_default", "POST", "/api/webhook/config", """{"webhook_url":"http://127.0.0.1:9/hook"}""");
        var eventId = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        await DoneAsync(tenant, "event.replay", "POST", $"/api/events/{eventId}/replay", """{"endpoint_id":"ID"}""".Replace("ID", id, StringComparison.Ordinal));
        await DoneAsync(tenant, "endpoint.recover", "POST", $"/api/endpoints/{id}/recover", """{"since":"2026-01-01T00:00:00Z"}""");
        await DoneAsync(tenant, "dead_letters.replay", "POST", "/api/dead-letters/replay", "{}");
        await DoneAsync(tenant, "endpoint.delete", "DELETE", $"/api/endpoints/{id}");
        await DoneAsync(tenant, "key.revoke", "DELETE", $"/api/keys/{key["id"]}");
        foreach (var (action, method, path, body) in ((string, string, string, string)[])
            [("organization.update", "PATCH", "", """{"tier":"pro"}"""), ("organization.suspend", "POST", "/suspend", """{"reason":"x"}"""),
             ("organization.resume", "POST", "/resume", "{}"), ("key.create", "POST", "/keys", "{}")])
        {
            expected.Add(action);
            var reply = await tenant.SendAsync(new HttpMethod(method), $"/api/admin/organizations/{tenant.OrganizationId}{path}", Encoding.UTF8.GetBytes(body),
                ("X-API-Key", Server.AdminToken), ("X-Request-Id", "by-the-admin"));
            Assert.InRange(reply.Status, 200, 204);
            shown.AppendLine(reply.Text);
        }

        await DoneAsync(tenant, "key.rotate", "POST", "/api/keys/rotate", """{"grace_seconds":60}""");

        // Refused, asked only, or without effect: no entry.
        await tenant.PostAsync("/api/keys", "{}");
        await tenant.PostAsync("/api/dead-letters/replay", """{"dry_run":true}""");
        await tenant.DeleteAsync($"/api/endpoints/{Guid.NewGuid()}");
        await tenant.PostAsync($"/api/events/{Guid.CreateVersion7()}/replay");

        var entries = (await tenant.GetAsync("/api/audit?limit=100")).Json["entries"]!.AsArray();
        Assert.Equal(expected, entries.Select(entry => (string?)entry!["action"]).Reverse());
        var rotation = entries[0]!.AsObject();
        Assert.Equal(
            ["id", "created_at", "organization_id", "action", "target", "actor", "key_id", "key_prefix", "address", "request_id", "details"],
            rotation.Select(pair => pair.Key));
        Assert.Equal(("key", tenant.Key[..17], "127.0.0.1", tenant.OrganizationId),
            ((string?)rotation["actor"], (string?)rotation["key_prefix"], (string?)rotation["address"], (string?)rotation["organization_id"]));
        Assert.Equal(
            ("admin", "by-the-admin", null),
            ((string?)entries[1]!["actor"], (string?)entries[1]!["request_id"], (string?)entries[1]!["key_id"]));
        Assert.Equal("""{"fields":["enabled"]}""", entries.Last(entry => (string?)entry!["action"] == "endpoint.update")!["details"]!.ToJsonString());
        Assert.Equal("admin", (string?)entries[^1]!["actor"]);
        AssertNoSecret(shown.ToString(), entries.ToJsonString());

        async Task<JsonObject> DoneAsync(Tenant caller, string action, string method, string path, string? body = null)
        {
            expected.Add(action);
            var reply = await caller.SendAsync(
                new HttpMethod(method), path, body is null ? null : Encoding.UTF8.GetBytes(body), ("X-API-Key", caller.Key));
            Assert.True(reply.Status is >= 200 and < 300, $"{action}: {reply.Status} {reply.Text}");
            shown.AppendLine(reply.Text);
            return reply.Bytes.Length == 0 ? [] : reply.Json;
        }
    }

    [Fact]
    public async Task Is_read_page_by_page_and_by_filter_and_no_ones_elses()
    {
        var (tenant, other) = (await Server.NewTenantAsync(), await Server.NewTenantAsync());
        for (var i = 0; i < 5; i++) await tenant.PostAsync("/api/keys", $$"""{"name":"{{i}}","scopes":["inbox:read"]}""");
        await other.PostAsync("/api/keys", """{"name":"others","scopes":["inbox:read"]}""");

        var names = new List<string?>();
        var cursor = "";
        do
        {
            var page = (await tenant.GetAsync($"/api/audit?action=key.create&limit=2{cursor}")).Json;
            names.AddRange(page["entries"]!.AsArray().Select(entry => (string?)entry!["details"]!["name"]));
            cursor = (string?)page["next_cursor"] is { } next ? $"&cursor={next}" : "";
        }
        while (cursor.Length > 0);

        Assert.Equal(["4", "3", "2", "1", "0"], names);
        var keyId = (string)(await tenant.GetAsync("/api/keys")).Json["keys"]![0]!["id"]!;
        Assert.Equal(5, await CountAsync($"organization_id={tenant.OrganizationId}&actor={keyId}"));
        Assert.Equal(5, await CountAsync($"organization_id={tenant.OrganizationId}&actor={tenant.Key[..17]}"));
        Assert.Equal(2, await CountAsync($"organization_id={tenant.OrganizationId}&actor=admin"));
        Assert.Equal(0, await CountAsync($"organization_id={tenant.OrganizationId}&to=2026-01-01T00:00:00Z"));
        Assert.Equal(7, await CountAsync($"organization_id={tenant.OrganizationId}&from=2026-01-01T00:00:00Z"));
        Assert.Equal(0, await CountAsync($"organization_id={Guid.NewGuid()}"));
        var own = (await tenant.GetAsync($"/api/audit?organization_id={other.OrganizationId}")).Text;
        Assert.DoesNotContain(other.OrganizationId, own, StringComparison.Ordinal);
        foreach (var (query, field) in ((string, string)[])[("limit=0", "limit"), ("cursor=x", "cursor"), ("from=yesterday", "from"), ("to=1", "to")])
            (await tenant.GetAsync($"/api/audit?{query}")).InvalidField(field);
    }

    private async Task<int> CountAsync(string query)
    {
        var reply = await new Tenant(Server, "", Server.AdminToken).GetAsync($"/api/admin/audit?{query}");
        return (int)reply.Json["count"]!;
    }

    /// <summary>
    /// Neither a key's secret part nor a signing secret that was shown is in the entries, nor what stands in URL or headers.
    /// </summary>
    private static void AssertNoSecret(string shown, string entries)
    {
        var secrets = System.Text.RegularExpressions.Regex
            .Matches(shown, @"zap_(live|test)_\w{57}|whsec_[\w+/=]+", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5))
            .Select(match => match.Value[0] == 'z' ? match.Value[17..] : match.Value[6..]).ToList();
        Assert.True(secrets.Count >= 6, $"{secrets.Count} secrets");
        Assert.Equal([], secrets.Append(Secret).Append("127.0.0.1:9").Where(secret => entries.Contains(secret, StringComparison.Ordinal)));
    }
}
