using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>A server that tests call, in this process or as one of its own.</summary>
internal interface ITestServer
{
    /// <summary>Where it listens.</summary>
    Uri Address { get; }

    /// <summary>A client for that address.</summary>
    HttpClient Client { get; }

    /// <summary>Its admin token.</summary>
    string AdminToken { get; }
}

/// <summary>What the administrator does for a test.</summary>
internal static class TestServers
{
    /// <summary>Makes an organization with a key; without a rate limit unless a tier is named.</summary>
    public static async Task<Tenant> NewTenantAsync(this ITestServer server, string? tier = null, string name = "Acme")
    {
        var body = await SendAsync(server, HttpMethod.Post, "/api/keys/generate", new { organization_name = name, tier = tier ?? "free" });
        var tenant = new Tenant(server, (string)body["organization_id"]!, (string)body["api_key"]!);
        if (tier is null) await server.SetLimitAsync(tenant, limit: null);
        return tenant;
    }

    /// <summary>Sets an organization's events per minute; null = no limit.</summary>
    public static Task SetLimitAsync(this ITestServer server, Tenant tenant, int? limit) =>
        SendAsync(server, HttpMethod.Patch, $"/api/admin/organizations/{tenant.OrganizationId}", new { rate_limit_per_minute = limit });

    private static async Task<JsonNode> SendAsync<T>(ITestServer server, HttpMethod method, string path, T body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-API-Key", server.AdminToken);
        request.Content = JsonContent.Create(body);
        using var answer = await server.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
