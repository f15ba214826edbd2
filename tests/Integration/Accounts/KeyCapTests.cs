using System.Net;

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>What time and the cap (three keys here) do to keys.</summary>
public sealed class KeyCapTests
{
    private const string Another = """{"name":"another","scopes":["inbox:read"]}""";

    [Fact]
    public async Task One_more_than_the_cap_is_422_and_the_administrator_may_still_make_one()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        for (var i = 0; i < 2; i++)
            Assert.Equal(HttpStatusCode.Created, (await host.SendAsync(HttpMethod.Post, "/api/keys", key, Another)).Status);

        var refused = await host.SendAsync(HttpMethod.Post, "/api/keys", key, Another);

        ApiAssert.Problem(refused, 422, "too_many_keys", "Too many keys", "limit");
        Assert.Equal(3, (int?)refused.Body["limit"]);
        var made = await host.SendAsync(HttpMethod.Post, $"/api/admin/organizations/{organization.Id}/keys", ApiHost.AdminTokenText);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Get, "/api/keys", (string)made.Body["api_key"]!)).Status);
    }

    [Fact]
    public async Task Rotating_with_a_grace_again_and_again_does_not_go_past_the_cap()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        for (var i = 0; i < 3; i++)
            Assert.Equal(
                HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", key, """{"grace_seconds": 600}""")).Status);

        ApiAssert.Problem(
            await host.SendAsync(HttpMethod.Post, "/api/keys/rotate", key, """{"grace_seconds": 600}"""), 422, "too_many_keys", "Too many keys", "limit");

        host.Time.Advance(TimeSpan.FromSeconds(601));
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, "/api/keys", key), 401, "invalid_api_key", "Invalid API key");
    }

    [Fact]
    public async Task An_expired_key_is_an_invalid_one()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        var made = await host.SendAsync(
            HttpMethod.Post, "/api/keys", key, """{"name":"a","scopes":["keys:manage"],"expires_at":"2025-03-01T13:00:00Z"}""");
        var expiring = (string)made.Body["api_key"]!;
        Assert.Equal("2025-03-01T13:00:00.000Z", (string?)made.Body["expires_at"]);

        host.Time.SetUtcNow(new DateTimeOffset(2025, 3, 1, 12, 59, 59, 999, TimeSpan.Zero));
        Assert.Equal(2, (await host.SendAsync(HttpMethod.Get, "/api/keys", expiring)).Body["keys"]!.AsArray().Count);
        host.Time.Advance(TimeSpan.FromMilliseconds(1));
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, "/api/keys", expiring), 401, "invalid_api_key", "Invalid API key");
        Assert.Single((await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Body["keys"]!.AsArray());
    }

    [Fact]
    public async Task While_the_store_is_away_nothing_is_made_or_revoked()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        var made = await host.SendAsync(HttpMethod.Post, "/api/keys", key, Another);
        host.Accounts.IsAway = true;

        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Post, "/api/keys", key, Another));
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Delete, $"/api/keys/{made.Body["id"]}", key));

        Assert.Equal(2, (await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Body["keys"]!.AsArray().Count);
    }
}
