using System.Net;

namespace ZapierTriggers.Tests.Integration.Accounts;

public sealed class AdminTests
{
    [Theory]
    [InlineData("""{"tier": "professional"}""", "pro", 1_000)]
    [InlineData("""{"rate_limit_per_minute": 7}""", "free", 7)]
    [InlineData("""{"tier": "business", "rate_limit_per_minute": null}""", "business", null)]
    public async Task A_changed_limit_counts_at_once_and_is_stored(string json, string tier, int? limit)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var (status, body, _) = await host.SendAsync(
            HttpMethod.Patch, $"/api/admin/organizations/{organization.Id}", ApiHost.AdminTokenText, json);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(tier, (string?)body["tier"]);
        Assert.Equal(limit, (int?)body["rate_limit_per_minute"]);
        Assert.Equal(limit ?? int.MaxValue, organization.Window.Limit);
        Assert.Equal(
            (tier, limit), Assert.Single(host.Accounts.Organizations) is var stored ? (stored.Tier, stored.RateLimitPerMinute) : default);
        Assert.Equal(limit, (int?)(await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Body["rate_limit_per_minute"]);
    }

    [Theory]
    [InlineData("""{"tier": "gold"}""", "tier")]
    [InlineData("""{"rate_limit_per_minute": 0}""", "rate_limit_per_minute")]
    [InlineData("""{"rate_limit_per_minute": "7"}""", "rate_limit_per_minute")]
    public async Task Bad_fields_are_named(string json, string field)
    {
        await using var host = await ApiHost.StartAsync();
        var (_, organization) = await host.RegisterAsync();
        ApiAssert.InvalidField(
            await host.SendAsync(HttpMethod.Patch, $"/api/admin/organizations/{organization.Id}", ApiHost.AdminTokenText, json), field);
    }

    [Fact]
    public async Task An_organizations_own_key_does_not_administer_and_unknown_ids_are_404()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        ApiAssert.Problem(
            await host.SendAsync(HttpMethod.Patch, $"/api/admin/organizations/{organization.Id}", key, "{}"), 401, "invalid_admin_token", "Invalid admin token");
        ApiAssert.Problem(
            await host.SendAsync(HttpMethod.Patch, $"/api/admin/organizations/{Guid.Empty}", ApiHost.AdminTokenText, "{}"), 404, "organization_not_found", "Organization not found");
    }
}
