using System.Net;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Accounts;

namespace ZapierTriggers.Tests.Integration.Accounts;

public sealed class GenerateKeyTests
{
    private const string Path = "/api/keys/generate";

    [Fact]
    public async Task A_new_organization_gets_a_key_that_works()
    {
        await using var host = await ApiHost.StartAsync();
        var (status, body, _) = await host.SendAsync(
            HttpMethod.Post, Path, null, """{"organization_name": "Acme \"Ltd\" ü", "tier": "professional"}""");

        Assert.Equal(HttpStatusCode.Created, status);
        ApiAssert.Fields(
            body, "organization_id", "organization_name", "api_key", "tier", "rate_limit_per_minute", "created_at", "message", "warning");
        Assert.Equal("Acme \"Ltd\" ü", (string?)body["organization_name"]);
        Assert.Equal("pro", (string?)body["tier"]);
        Assert.Equal(1_000, (int?)body["rate_limit_per_minute"]);
        Assert.Equal("2025-03-01T12:00:30.250Z", (string?)body["created_at"]);
        Assert.True(Guid.TryParseExact((string?)body["organization_id"], "D", out _));
        var key = (string)body["api_key"]!;
        Assert.StartsWith("zap_live_", key, StringComparison.Ordinal);
        Assert.True(KeyFormat.IsWellFormed(key));
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Get, "/api/keys", key)).Status);
        Assert.DoesNotContain(host.Accounts.Keys, stored => stored.ToString().Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_alias_the_mode_and_the_default_tier_are_taken()
    {
        await using var host = await ApiHost.StartAsync();
        var (_, body, _) = await host.SendAsync(HttpMethod.Post, Path, null, """{"org_name": "Acme", "mode": "test"}""");
        Assert.Equal("Acme", (string?)body["organization_name"]);
        Assert.Equal("free", (string?)body["tier"]);
        Assert.StartsWith("zap_test_", (string?)body["api_key"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "organization_name")]
    [InlineData("""{"organization_name": ""}""", "organization_name")]
    [InlineData("""{"organization_name": "  "}""", "organization_name")]
    [InlineData("""{"organization_name": 7}""", "organization_name")]
    [InlineData("""{"organization_name": "a\u0007"}""", "organization_name")]
    [InlineData("""{"organization_name": "a", "org_name": "b"}""", "organization_name")]
    [InlineData("""{"organization_name": "a", "tier": "gold"}""", "tier")]
    [InlineData("""{"organization_name": "a", "tier": 1}""", "tier")]
    [InlineData("""{"organization_name": "a", "mode": "prod"}""", "mode")]
    public async Task Bad_fields_are_named(string json, string field)
    {
        await using var host = await ApiHost.StartAsync();
        ApiAssert.InvalidField(await host.SendAsync(HttpMethod.Post, Path, null, json), field);
        Assert.Empty(host.Accounts.Organizations);
    }

    [Fact]
    public async Task A_name_may_have_255_characters_and_no_more()
    {
        await using var host = await ApiHost.StartAsync();
        await host.RegisterAsync(new string('x', 255));
        ApiAssert.InvalidField(
            await host.SendAsync(HttpMethod.Post, Path, null, $$"""{"organization_name": "{{new string('x', 256)}}"}"""), "organization_name");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("{")]
    [InlineData("""{"organization_name": "a", "organization_name": "b"}""")]
    [InlineData("""{"organization_name": "\ud800"}""")]
    public async Task What_is_no_JSON_object_is_400(string body)
    {
        await using var host = await ApiHost.StartAsync();
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Post, Path, null, body), 400, "invalid_json", "Invalid JSON");
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_400()
    {
        await using var host = await ApiHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = new ByteArrayContent([.. "{\"organization_name\": \""u8, 0xFF, .. "\"}"u8]),
        };
        ApiAssert.Problem(await host.SendAsync(request), 400, "invalid_json", "Invalid JSON");
    }

    [Fact]
    public async Task A_large_body_is_413_and_another_media_type_415()
    {
        await using var host = await ApiHost.StartAsync();
        var large = await host.SendAsync(HttpMethod.Post, Path, null, new string(' ', 20_000));
        ApiAssert.Problem(large, 413, "payload_too_large", "Payload too large", "limit_bytes");
        Assert.Equal(16_384, (int?)large.Body["limit_bytes"]);

        using var form = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = new FormUrlEncodedContent([new("organization_name", "a")]),
        };
        ApiAssert.Problem(await host.SendAsync(form), 415, "unsupported_media_type", "Unsupported media type");
    }

    [Fact]
    public async Task Closed_registration_takes_the_admin_token_only()
    {
        await using var host = await ApiHost.StartAsync(new RegistrationOptions { Open = false });
        const string Body = """{"organization_name": "a"}""";
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Post, Path, null, Body), 401, "missing_admin_token", "Missing admin token");
        ApiAssert.Problem(
            await host.SendAsync(HttpMethod.Post, Path, ApiHost.AdminTokenText + "x", Body), 401, "invalid_admin_token",
            "Invalid admin token");
        Assert.Equal(HttpStatusCode.Created, (await host.SendAsync(HttpMethod.Post, Path, ApiHost.AdminTokenText, Body)).Status);

        using var bearer = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new StringContent(Body, null, "application/json") };
        bearer.Headers.Authorization = new("Bearer", ApiHost.AdminTokenText);
        Assert.Equal(HttpStatusCode.Created, (await host.SendAsync(bearer)).Status);
    }

    [Fact]
    public async Task Open_registration_is_limited_by_address_but_not_for_the_administrator()
    {
        await using var host = await ApiHost.StartAsync(new RegistrationOptions { Open = true, PerAddressPerMinute = 2 });
        await host.RegisterAsync();
        await host.RegisterAsync();
        const string Body = """{"organization_name": "a"}""";
        var refused = await host.SendAsync(HttpMethod.Post, Path, null, Body);

        ApiAssert.Problem(refused, 429, "rate_limit_exceeded", "Rate limit exceeded", "retry_after_seconds", "limit", "window");
        Assert.Equal(2, (int?)refused.Body["limit"]);
        Assert.Equal(60, (int?)refused.Body["window"]);
        Assert.Equal((int?)refused.Body["retry_after_seconds"], (int?)refused.Headers.RetryAfter?.Delta?.TotalSeconds);
        Assert.Equal(HttpStatusCode.Created, (await host.SendAsync(HttpMethod.Post, Path, ApiHost.AdminTokenText, Body)).Status);

        host.Time.Advance(TimeSpan.FromSeconds((int)refused.Body["retry_after_seconds"]!));
        Assert.Equal(HttpStatusCode.Created, (await host.SendAsync(HttpMethod.Post, Path, null, Body)).Status);
    }

    [Fact]
    public async Task A_number_that_is_taken_is_drawn_again()
    {
        await using var host = await ApiHost.StartAsync();
        host.Accounts.Conflicts = 3;
        var (_, organization) = await host.RegisterAsync();
        Assert.Equal(organization.No, Assert.Single(host.Accounts.Organizations).No);
    }

    [Fact]
    public async Task A_store_that_is_away_is_503_and_adds_nothing()
    {
        await using var host = await ApiHost.StartAsync();
        host.Accounts.IsAway = true;
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Post, Path, null, """{"organization_name": "a"}"""));
        Assert.Empty(host.Accounts.Organizations);
    }
}
