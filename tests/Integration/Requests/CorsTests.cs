using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

public sealed class CorsTests
{
    private const string Page = "https://app.example.com";

    [Fact]
    public async Task A_named_origin_may_call_and_read_and_others_may_not()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, $"Cors:AllowedOrigins={Page}");
        var tenant = await server.NewTenantAsync();

        var preflight = await tenant.SendAsync(
            HttpMethod.Options, "/api/events", body: null,
            ("Origin", Page), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-api-key"));
        Assert.Equal((204, Page), (preflight.Status, preflight.Headers["Access-Control-Allow-Origin"]));
        Assert.Equal("x-api-key", preflight.Headers["Access-Control-Allow-Headers"]);
        Assert.Contains("POST", preflight.Headers["Access-Control-Allow-Methods"], StringComparison.Ordinal);

        var read = await tenant.SendAsync(HttpMethod.Get, "/api/inbox", body: null, ("Origin", Page), ("X-API-Key", tenant.Key));
        Assert.Equal(Page, read.Headers["Access-Control-Allow-Origin"]);
        Assert.Contains("Origin", read.Headers["Vary"], StringComparison.Ordinal);
        Assert.Contains("X-Request-Id", read.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
        Assert.False(read.Headers.ContainsKey("Access-Control-Allow-Credentials"));

        // Refusals too: a page must be able to read why.
        var refused = await tenant.SendAsync(HttpMethod.Get, "/api/inbox", body: null, ("Origin", Page));
        Assert.Equal((401, Page), (refused.Status, refused.Headers["Access-Control-Allow-Origin"]));

        foreach (var other in (string[])["https://evil.example.com", "https://app.example.com.evil.example", "null", "http://app.example.com"])
        {
            var answer = await tenant.SendAsync(HttpMethod.Get, "/api/inbox", body: null, ("Origin", other), ("X-API-Key", tenant.Key));
            Assert.False(answer.Headers.ContainsKey("Access-Control-Allow-Origin"));
            var asked = await tenant.SendAsync(
                HttpMethod.Options, "/api/inbox", body: null, ("Origin", other), ("Access-Control-Request-Method", "GET"));
            Assert.Equal((204, false), (asked.Status, asked.Headers.ContainsKey("Access-Control-Allow-Origin")));
        }
    }

    [Fact]
    public async Task Without_a_named_origin_nobody_is_told_anything()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();

        var answer = await tenant.SendAsync(HttpMethod.Get, "/api/inbox", body: null, ("Origin", Page), ("X-API-Key", tenant.Key));
        Assert.DoesNotContain(answer.Headers.Keys, name => name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }
}
