using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Accounts;

namespace ZapierTriggers.Tests.Integration.Accounts;

public sealed class KeyTests
{
    [Fact]
    public async Task Listing_shows_the_organization_and_its_keys_but_never_a_key()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var (_, body, _) = await host.SendAsync(HttpMethod.Get, "/api/keys", key);

        ApiAssert.Fields(
            body, "organization_id", "organization_name", "tier", "rate_limit_per_minute", "webhook_url", "created_at", "updated_at",
            "keys");
        Assert.Null(body["webhook_url"]);
        var shown = Assert.Single(body["keys"]!.AsArray())!.AsObject();
        ApiAssert.Fields(shown, "id", "prefix", "name", "scopes", "created_at", "last_used_at", "expires_at");
        Assert.Equal(key[..17], (string?)shown["prefix"]);
        Assert.Equal("default", (string?)shown["name"]);
        Assert.Equal(
            ["events:write", "inbox:read", "inbox:ack", "webhooks:manage", "keys:manage"],
            shown["scopes"]!.AsArray().Select(scope => (string?)scope));
        Assert.Equal("2025-03-01T12:00:00.000Z", (string?)shown["last_used_at"]);
        Assert.Null(shown["expires_at"]);
        Assert.DoesNotContain(key, body.ToJsonString(), StringComparison.Ordinal);

        host.WebhookUrls[organization.No] = "https://example.com/hook";
        Assert.Equal("https://example.com/hook", (string?)(await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Body["webhook_url"]);
    }

    [Fact]
    public async Task Missing_and_wrong_keys_are_told_apart()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, "/api/keys", null), 401, "missing_api_key", "Missing API key");
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, "/api/keys", "nonsense"), 401, "invalid_api_key", "Invalid API key");
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, "/api/keys", key + "x"), 401, "invalid_api_key", "Invalid API key");
        ApiAssert.Problem(
            await host.SendAsync(HttpMethod.Get, "/api/keys", ApiHost.AdminTokenText), 401, "invalid_api_key", "Invalid API key");
    }

    [Theory]
    [InlineData("Bearer {0}", 200)]
    [InlineData("bearer  {0}", 200)]
    [InlineData("Bearer {0}x", 401)]
    [InlineData("Basic {0}", 401)]
    [InlineData("{0}", 401)]
    public async Task A_bearer_token_is_the_same(string format, int status)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/keys");
        request.Headers.TryAddWithoutValidation("Authorization", format.Replace("{0}", key, StringComparison.Ordinal));
        Assert.Equal(status, (int)(await host.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Two_keys_in_one_request_are_no_key()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/keys");
        request.Headers.TryAddWithoutValidation("X-API-Key", [key, key]);
        ApiAssert.Problem(await host.SendAsync(request), 401, "invalid_api_key", "Invalid API key");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"grace_seconds": 0}""")]
    [InlineData("""{"grace_seconds": null}""")]
    public async Task Rotation_stops_the_key_used_at_once(string? json)
    {
        await using var host = await ApiHost.StartAsync();
        var (old, organization) = await host.RegisterAsync();
        host.Time.Advance(TimeSpan.FromSeconds(5));
        var (status, body, _) = await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", old, json);

        Assert.Equal(HttpStatusCode.OK, status);
        ApiAssert.Fields(body, "organization_id", "organization_name", "api_key", "rotated_at", "message");
        Assert.Equal("2025-03-01T12:00:35.250Z", (string?)body["rotated_at"]);
        var key = (string)body["api_key"]!;
        Assert.Equal(old[..17], key[..17]);
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, "/api/keys", old), 401, "invalid_api_key", "Invalid API key");
        var listed = (await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Body;
        Assert.Equal((string?)body["rotated_at"], (string?)listed["updated_at"]);
        Assert.Single(listed["keys"]!.AsArray());
        Assert.Equal(2, host.Accounts.Keys.Count(stored => stored.OrganizationNo == organization.No));
    }

    [Fact]
    public async Task With_a_grace_both_keys_work_until_it_is_over()
    {
        await using var host = await ApiHost.StartAsync();
        var (old, _) = await host.RegisterAsync();
        var (_, body, _) = await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", old, """{"grace_seconds": 3600}""");
        var key = (string)body["api_key"]!;

        host.Time.Advance(TimeSpan.FromSeconds(3599));
        var keys = (await host.SendAsync(HttpMethod.Get, "/api/keys", old)).Body["keys"]!.AsArray();
        Assert.Equal(["2025-03-01T13:00:30.250Z", null], keys.Select(shown => (string?)shown!["expires_at"]));

        // A second rotation with the old key must not give it more time.
        Assert.Equal(
            HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", old, """{"grace_seconds": 604800}""")).Status);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.SendAsync(HttpMethod.Get, "/api/keys", old)).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Status);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("604801")]
    [InlineData("1.5")]
    [InlineData("\"60\"")]
    [InlineData("1e99")]
    public async Task A_bad_grace_is_422_and_changes_nothing(string grace)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        ApiAssert.InvalidField(
            await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", key, $$"""{"grace_seconds": {{grace}}}"""), "grace_seconds");
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Status);
    }

    [Fact]
    public async Task A_rotation_that_the_store_did_not_take_leaves_the_old_key()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        host.Accounts.IsAway = true;
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", key));
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Status);
    }

    [Theory]
    [InlineData("inbox:read", "GET", "/api/keys")]
    [InlineData("inbox:read", "POST", "/api/keys/rotate")]
    [InlineData("events:write keys:manage", "GET", "/api/inbox")]
    [InlineData("inbox:ack", "GET", "/api/events/01956ae0-0000-7000-8000-000000000000")]
    [InlineData("inbox:read", "POST", "/api/ack/01956ae0-0000-7000-8000-000000000000")]
    [InlineData("inbox:read", "POST", "/api/inbox/ack")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "POST", "/api/endpoints")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "GET", "/api/endpoints")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "GET", "/api/endpoints/01956ae0-0000-7000-8000-000000000000")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "PATCH", "/api/endpoints/01956ae0-0000-7000-8000-000000000000")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "DELETE", "/api/endpoints/01956ae0-0000-7000-8000-000000000000")]
    [InlineData(
        "events:write inbox:read inbox:ack keys:manage", "POST", "/api/endpoints/01956ae0-0000-7000-8000-000000000000/rotate-secret")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "POST", "/api/endpoints/01956ae0-0000-7000-8000-000000000000/test")]
    [InlineData("events:write inbox:ack keys:manage", "GET", "/api/dead-letters")]
    [InlineData("events:write inbox:ack keys:manage", "GET", "/api/replays")]
    [InlineData("events:write inbox:ack keys:manage", "GET", "/api/replays/01956ae0-0000-7000-8000-000000000000")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "POST", "/api/dead-letters/replay")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "POST", "/api/dead-letters/01956ae0-0000-7000-8000-000000000000/replay")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "POST", "/api/events/01956ae0-0000-7000-8000-000000000000/replay")]
    [InlineData("events:write inbox:read inbox:ack keys:manage", "POST", "/api/endpoints/01956ae0-0000-7000-8000-000000000000/recover")]
    public async Task A_key_without_the_scope_is_403(string scopes, string method, string path)
    {
        await using var host = await ApiHost.StartAsync();
        var organization = NewAccount.Organization("Acme", Tier.Default, host.Time.GetUtcNow());
        var (record, key) = NewAccount.Key(organization, live: true, "narrow", scopes, host.Time.GetUtcNow());
        host.Directory.Add(organization, record);
        ApiAssert.Problem(
            await host.SendAsync(new HttpMethod(method), path, key), 403, "insufficient_scope", "Insufficient scope", "required_scope");
    }

    [Fact]
    public async Task Uses_are_written_and_an_outage_does_not_stop_the_writer()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        using var writer = new KeyUseWriter(host.Directory, host.Accounts, host.Time, NullLogger<KeyUseWriter>.Instance);
        await writer.WriteAsync(CancellationToken.None);
        Assert.Single(host.Accounts.Uses);

        host.Accounts.IsAway = true;
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await host.SendAsync(HttpMethod.Get, "/api/keys", key);
        await writer.WriteAsync(CancellationToken.None);
        host.Accounts.IsAway = false;
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await host.SendAsync(HttpMethod.Get, "/api/keys", key);
        await writer.WriteAsync(CancellationToken.None);
        Assert.Equal(new DateTimeOffset(2025, 3, 1, 12, 2, 0, TimeSpan.Zero), host.Accounts.Uses[^1].At);
    }
}
