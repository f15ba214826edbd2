using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Accounts;

public sealed class PostgresManyKeysTests(PostgresBackedServer fixture) : ManyKeysTests<PostgresBackedServer>(fixture);

public sealed class SqliteManyKeysTests(SqliteServer fixture) : ManyKeysTests<SqliteServer>(fixture);

/// <summary>Several keys for one organization, by the calls of the whole server.</summary>
public abstract class ManyKeysTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Event = """{"type":"a","payload":{}}""";

    [Fact]
    public async Task A_key_does_what_its_scopes_say_and_is_listed_and_revoked()
    {
        var owner = await fixture.Server.NewTenantAsync();
        var made = await owner.PostAsync("/api/keys", """{"name":"Größe 😀","scopes":["inbox:read","events:write"],"expires_at":null}""");

        Assert.Equal(201, made.Status);
        Assert.Equal(
            ["organization_id", "api_key", "id", "prefix", "name", "scopes", "created_at", "last_used_at", "expires_at", "message", "warning"],
            made.Json.Select(pair => pair.Key));
        Assert.Equal(owner.OrganizationId, (string?)made.Json["organization_id"]);
        Assert.Equal(["events:write", "inbox:read"], made.Json["scopes"]!.AsArray().Select(scope => (string?)scope));
        var key = (string)made.Json["api_key"]!;
        Assert.Equal(owner.Key[..17], key[..17]);

        var narrow = new Tenant(fixture.Server, owner.OrganizationId, key);
        (await narrow.PostEventAsync(Event)).Accepted();
        Assert.Equal(200, (await narrow.GetAsync("/api/inbox")).Status);
        Assert.Equal("keys:manage", (string?)(await narrow.GetAsync("/api/keys")).Problem(403, "insufficient_scope", "Insufficient scope", "required_scope")["required_scope"]);

        var listed = (await owner.GetAsync("/api/keys")).Json["keys"]!.AsArray();
        Assert.Equal(["default", "Größe 😀"], listed.Select(one => (string?)one!["name"]));
        Assert.DoesNotContain(key, listed.ToJsonString(), StringComparison.Ordinal);

        var id = (string)made.Json["id"]!;
        Assert.Equal(204, (await owner.DeleteAsync($"/api/keys/{id}")).Status);
        (await narrow.PostEventAsync(Event)).Problem(401, "invalid_api_key", "Invalid API key");
        (await owner.DeleteAsync($"/api/keys/{id}")).Problem(404, "key_not_found", "Key not found");
        Assert.Single((await owner.GetAsync("/api/keys")).Json["keys"]!.AsArray());
    }

    [Fact]
    public async Task A_key_gives_out_no_scope_that_it_has_not()
    {
        var owner = await fixture.Server.NewTenantAsync();
        var manager = await MakeAsync(owner, """["keys:manage","inbox:read"]""");

        var refused = await manager.PostAsync("/api/keys", """{"name":"a","scopes":["inbox:read","events:write","inbox:ack"]}""");

        Assert.Equal(
            "events:write inbox:ack",
            (string?)refused.Problem(403, "insufficient_scope", "Insufficient scope", "required_scope")["required_scope"]);
        Assert.Equal(201, (await manager.PostAsync("/api/keys", """{"name":"a","scopes":["inbox:read","keys:manage"]}""")).Status);
        Assert.Equal(3, (await owner.GetAsync("/api/keys")).Json["keys"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_last_key_that_manages_keys_cannot_be_revoked_but_rotated()
    {
        var owner = await fixture.Server.NewTenantAsync();
        await MakeAsync(owner, """["events:write"]""");
        var own = (string)(await owner.GetAsync("/api/keys")).Json["keys"]![0]!["id"]!;

        (await owner.DeleteAsync($"/api/keys/{own}")).Problem(409, "last_managing_key", "Last managing key");

        var second = await MakeAsync(owner, """["keys:manage"]""");
        Assert.Equal(204, (await owner.DeleteAsync($"/api/keys/{own}")).Status);
        (await owner.GetAsync("/api/keys")).Problem(401, "invalid_api_key", "Invalid API key");
        Assert.Equal(200, (await second.PostAsync("/api/keys/rotate")).Status);
    }

    [Fact]
    public async Task A_rotation_keeps_name_scopes_and_expiry()
    {
        var owner = await fixture.Server.NewTenantAsync();
        var made = await owner.PostAsync(
            "/api/keys", """{"name":"a","scopes":["inbox:ack","keys:manage"],"expires_at":"2126-01-01T00:00:00.123+01:00"}""");
        var key = new Tenant(fixture.Server, owner.OrganizationId, (string)made.Json["api_key"]!);

        var rotated = (await key.PostAsync("/api/keys/rotate", """{"grace_seconds":600}""")).Json;

        // Again with the old key, whose end is now the grace's: the new key's is not.
        var again = (await key.PostAsync("/api/keys/rotate")).Json;
        foreach (var text in (string[])[(string)rotated["api_key"]!, (string)again["api_key"]!])
        {
            var keys = (await new Tenant(fixture.Server, owner.OrganizationId, text).GetAsync("/api/keys")).Json["keys"]!.AsArray();
            var shown = keys.Where(one => (string?)one!["name"] == "a").ToList();
            Assert.Equal(["2125-12-31T23:00:00.123Z", "2125-12-31T23:00:00.123Z"], shown.Select(one => (string?)one!["expires_at"]));
            Assert.All(shown, one => Assert.Equal("""["inbox:ack","keys:manage"]""", one!["scopes"]!.ToJsonString()));
        }
    }

    [Theory]
    [InlineData("""{"scopes":["inbox:read"]}""", "name")]
    [InlineData("""{"name":"  ","scopes":["inbox:read"]}""", "name")]
    [InlineData("""{"name":7,"scopes":["inbox:read"]}""", "name")]
    [InlineData("""{"name":"a"}""", "scopes")]
    [InlineData("""{"name":"a","scopes":[]}""", "scopes")]
    [InlineData("""{"name":"a","scopes":"inbox:read"}""", "scopes")]
    [InlineData("""{"name":"a","scopes":["inbox:read","all"]}""", "scopes")]
    [InlineData("""{"name":"a","scopes":["Inbox:Read"]}""", "scopes")]
    [InlineData("""{"name":"a","scopes":[["inbox:read"]]}""", "scopes")]
    [InlineData("""{"name":"a","scopes":["inbox:read"],"expires_at":"2020-01-01T00:00:00Z"}""", "expires_at")]
    [InlineData("""{"name":"a","scopes":["inbox:read"],"expires_at":"tomorrow"}""", "expires_at")]
    [InlineData("""{"name":"a","scopes":["inbox:read"],"expires_at":1900000000}""", "expires_at")]
    [InlineData("""{"name":"a","scopes":["inbox:read"],"mode":"prod"}""", "mode")]
    public async Task Bad_fields_are_named_and_make_nothing(string body, string field)
    {
        var owner = await fixture.Server.NewTenantAsync();

        (await owner.PostAsync("/api/keys", body)).InvalidField(field);

        Assert.Single((await owner.GetAsync("/api/keys")).Json["keys"]!.AsArray());
    }

    [Fact]
    public async Task Limits_tell_what_is_left_and_take_nothing()
    {
        var owner = await fixture.Server.NewTenantAsync(tier: "free");
        await MakeAsync(owner, """["inbox:read"]""");
        for (var i = 0; i < 3; i++) (await owner.PostEventAsync(Event)).Accepted();

        var limits = (await owner.GetAsync("/api/limits")).Json;
        limits = (await owner.GetAsync("/api/limits")).Json;

        Assert.Equal(
            [
                "organization_id", "tier", "rate_limit", "quota", "payload", "batch", "dedup_window_seconds", "idempotency_window_seconds",
                "endpoints", "keys",
            ],
            limits.Select(pair => pair.Key));
        Assert.Equal(("free", 100, 60, 97), ((string?)limits["tier"], (int)limits["rate_limit"]!["limit"]!,
            (int)limits["rate_limit"]!["window_seconds"]!, (int)limits["rate_limit"]!["remaining"]!));
        Assert.Equal("""{"max_bytes":262144,"max_body_bytes":270336}""", limits["payload"]!.ToJsonString());
        Assert.Equal("""{"max_events":1000,"max_bytes":4194304}""", limits["batch"]!.ToJsonString());
        Assert.Equal((86_400, 86_400), ((int)limits["dedup_window_seconds"]!, (int)limits["idempotency_window_seconds"]!));
        Assert.Equal("""{"limit":50,"used":2}""", limits["keys"]!.ToJsonString());
        Assert.Equal(0, (int)limits["endpoints"]!["used"]!);

        await fixture.Server.SetLimitAsync(owner, null);
        var unlimited = (await owner.GetAsync("/api/limits")).Json["rate_limit"]!.AsObject();
        Assert.Equal("""{"limit":null,"window_seconds":60,"remaining":null,"reset_seconds":null}""", unlimited.ToJsonString());
    }

    private async Task<Tenant> MakeAsync(Tenant owner, string scopes)
    {
        var made = await owner.PostAsync(
            "/api/keys", new JsonObject { ["name"] = "another", ["scopes"] = JsonNode.Parse(scopes) }.ToJsonString());
        Assert.Equal(201, made.Status);
        return new Tenant(fixture.Server, owner.OrganizationId, (string)made.Json["api_key"]!);
    }
}
