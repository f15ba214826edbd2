using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>A call that takes a JSON object, with a body that it accepts, and a look at what the call would have changed.</summary>
/// <param name="Method">Its method.</param>
/// <param name="Path">Its path for an organization's id.</param>
/// <param name="Good">A body that it accepts.</param>
/// <param name="Success">The status it then answers.</param>
/// <param name="TakesEmptyBody">Whether no body at all is a body for it.</param>
/// <param name="TakesUnknown">Whether it passes over members that it does not know.</param>
internal sealed record JsonRoute(
    string Method, Func<Tenant, string> Path, string Good, int Success, bool TakesEmptyBody = false, bool TakesUnknown = true)
{
    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, JsonRoute> All { get; } = new Dictionary<string, JsonRoute>(StringComparer.Ordinal)
    {
        ["events"] = new("POST", _ => "/api/events", """{"type":"a","payload":{"n":1},"dedup_id":"d"}""", 202),
        ["ack"] = new("POST", _ => "/api/inbox/ack", """{"event_ids":["unknown"]}""", 200),
        ["webhook"] = new("POST", _ => "/api/webhook/config", """{"webhook_url":"http://127.0.0.1:9/hook"}""", 200),
        ["endpoints"] = new("POST", _ => "/api/endpoints", """{"url":"http://127.0.0.1:9/hook"}""", 201, TakesUnknown: false),
        ["generate"] = new("POST", _ => "/api/keys/generate", """{"organization_name":"Another"}""", 201),
        ["rotate"] = new("POST", _ => "/api/keys/rotate", """{"grace_seconds":0}""", 200, TakesEmptyBody: true),
        ["keys"] = new("POST", _ => "/api/keys", """{"name":"a","scopes":["inbox:read"]}""", 201),
        ["suspend"] = new("POST", tenant => $"/api/admin/organizations/{tenant.OrganizationId}/suspend", """{"reason":"a"}""", 200, TakesEmptyBody: true),
        ["owner's key"] = new("POST", tenant => $"/api/admin/organizations/{tenant.OrganizationId}/keys", """{"name":"a"}""", 201, TakesEmptyBody: true),
        ["admin"] = new("PATCH", tenant => $"/api/admin/organizations/{tenant.OrganizationId}", """{"tier":"pro"}""", 200),
    };

    /// <summary>The accepted object with one more member, given as it stands in the text.</summary>
    public byte[] With(params ReadOnlySpan<byte> member) => [.. Encoding.UTF8.GetBytes(Good[..^1]), (byte)',', .. member, (byte)'}'];

    /// <summary>The request with this body.</summary>
    public byte[] Request(ITestServer server, Tenant tenant, byte[] body, params string[] headers) =>
        RawClient.Request(Method, Path(tenant), Path(tenant).Contains("/admin/", StringComparison.Ordinal) ? server.AdminToken
            : tenant.Key, body, headers);

    /// <summary>What the server shows of the organization, but for times.</summary>
    public static async Task<string> StateAsync(Tenant tenant)
    {
        var keys = (await tenant.GetAsync("/api/keys")).Json;
        var inbox = await tenant.ReadInboxAsync();
        var endpoints = (await tenant.GetAsync("/api/endpoints")).Json["count"];
        return $"{endpoints} {keys["tier"]} {keys["rate_limit_per_minute"]} {keys["webhook_url"]} {keys["keys"]!.AsArray().Count} {string.Join(',', inbox.Select(one => one.Id))}";
    }
}
