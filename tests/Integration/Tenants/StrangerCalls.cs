using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Tenants;

/// <summary>
/// For each route of the server: how one organization calls it with what belongs to another. <see cref="All"/> has a case for each method
/// and template; a route without one fails the test.
/// </summary>
internal static class StrangerCalls
{
    private static readonly Call Own = (_, caller, _, method, path) => SendAsync(caller, method, path);
    private static readonly Call ById = (_, caller, id, method, path) =>
        SendAsync(caller, method, path.Replace("{id}", id.Event, StringComparison.Ordinal));
    private static readonly Call ByOrganization = (_, caller, id, method, path) =>
        SendAsync(caller, method, path.Replace("{id}", id.Organization, StringComparison.Ordinal), method == HttpMethod.Get ? null : """{"rate_limit_per_minute":1}""");
    private static readonly Call ByEndpoint = (_, caller, id, method, path) =>
        SendAsync(caller, method, path.Replace("{id}", id.Endpoint, StringComparison.Ordinal), method == HttpMethod.Patch ? """{"enabled":false}""" : null);
    private static readonly Call ReplayById = (_, caller, id, method, path) => SendAsync(
        caller, method, path.Replace("{id}", id.Event, StringComparison.Ordinal), $$"""{"endpoint_id":"{{id.Endpoint}}"}""");
    private static readonly Call AckMany = (_, caller, id, method, path) =>
        SendAsync(caller, method, path, $$"""{"event_ids":["{{id.Event}}"]}""");

    /// <summary>By method and template.</summary>
    public static IReadOnlyDictionary<string, Call> All { get; } = new Dictionary<string, Call>(StringComparer.Ordinal)
    {
        ["GET /"] = Own,
        ["GET /health"] = Own,
        ["GET /api/health"] = Own,
        ["GET /health/live"] = Own,
        ["GET /health/ready"] = Own,
        ["GET /health/detailed"] = Own,
        ["GET /api/health/detailed"] = Own,
        ["GET /metrics"] = Own,
        ["GET /openapi.json"] = Own,
        ["GET /api/openapi"] = Own,
        ["GET /api/docs"] = Own,
        ["GET /docs"] = Own,
        ["GET /redoc"] = Own,
        ["GET /docs/errors"] = Own,
        ["GET /docs/quickstarts"] = Own,
        ["GET /docs/{id}"] = ById,
        ["OPTIONS /api/events"] = Own,
        ["OPTIONS /events"] = Own,
        ["OPTIONS /api/events/batch"] = Own,
        ["OPTIONS /events/batch"] = Own,
        ["GET /api/keys"] = Own,
        ["GET /api/limits"] = Own,
        ["GET /api/audit"] = (_, caller, id, method, path) =>
            SendAsync(caller, method, $"{path}?organization_id={id.Organization}&cursor={id.Event}"),
        ["POST /api/keys"] = (_, caller, id, method, path) => SendAsync(
            caller, method, path, $$"""{"name":"another","scopes":["inbox:read"],"organization_id":"{{id.Organization}}"}"""),
        ["DELETE /api/keys/{id}"] = (_, caller, id, method, path) =>
        SendAsync(caller, method, path.Replace("{id}", id.Key, StringComparison.Ordinal)),
        ["GET /api/inbox"] = ReadInboxAsync,
        ["GET /inbox"] = ReadInboxAsync,
        ["GET /api/events/{id}"] = ById,
        ["GET /events/{id}"] = ById,
        ["POST /api/events"] = PostEventAsync,
        ["POST /events"] = PostEventAsync,
        ["POST /api/events/batch"] = PostBatchAsync,
        ["POST /events/batch"] = PostBatchAsync,
        ["POST /api/ack/{id}"] = ById,
        ["POST /ack/{id}"] = ById,
        ["POST /api/inbox/ack/{id}"] = ById,
        ["POST /inbox/ack/{id}"] = ById,
        ["POST /api/ack"] = AckMany,
        ["POST /ack"] = AckMany,
        ["POST /api/inbox/ack"] = AckMany,
        ["POST /inbox/ack"] = AckMany,
        ["POST /api/keys/generate"] = (_, caller, id, method, path) =>
        SendAsync(caller, method, path, $$"""{"organization_name":"a","organization_id":"{{id.Organization}}"}"""),
        ["POST /api/keys/rotate"] = RotateAsync,
        ["POST /api/webhook/config"] = (_, caller, id, method, path) =>
        SendAsync(caller, method, path, $$"""{"webhook_url":"http://127.0.0.1:9/own","organization_id":"{{id.Organization}}"}"""),
        ["GET /api/dead-letters"] = (_, caller, id, method, path) =>
            SendAsync(caller, method, $"{path}?endpoint_id={id.Endpoint}&cursor={id.Event}"),
        ["POST /api/dead-letters/replay"] = (_, caller, id, method, path) => SendAsync(
            caller, method, path, $$"""{"dry_run":true,"endpoint_id":"{{id.Endpoint}}","event_ids":["{{id.Event}}"]}"""),
        ["POST /api/dead-letters/{id}/replay"] = ReplayById,
        ["POST /api/events/{id}/replay"] = ReplayById,
        ["POST /events/{id}/replay"] = ReplayById,
        ["GET /api/replays"] = Own,
        ["GET /api/replays/{id}"] = ByEndpoint,
        ["POST /api/endpoints/{id}/recover"] = (_, caller, id, method, path) => SendAsync(
            caller, method, path.Replace("{id}", id.Endpoint, StringComparison.Ordinal), """{"since":"2026-01-01T00:00:00Z"}"""),
        ["POST /api/endpoints"] = (_, caller, id, method, path) =>
        SendAsync(caller, method, path, $$"""{"url":"http://127.0.0.1:9/own","start":"{{id.Event}}"}"""),
        ["GET /api/endpoints"] = Own,
        ["GET /api/endpoints/{id}"] = ByEndpoint,
        ["PATCH /api/endpoints/{id}"] = ByEndpoint,
        ["DELETE /api/endpoints/{id}"] = ByEndpoint,
        ["POST /api/endpoints/{id}/rotate-secret"] = ByEndpoint,
        ["POST /api/endpoints/{id}/test"] = ByEndpoint,
        ["GET /api/admin/audit"] = Own,
        ["GET /api/admin/organizations"] = Own,
        ["POST /api/admin/token/rotate"] = Own,
        ["GET /api/admin/organizations/{id}"] = ByOrganization,
        ["PATCH /api/admin/organizations/{id}"] = ByOrganization,
        ["POST /api/admin/organizations/{id}/suspend"] = ByOrganization,
        ["POST /api/admin/organizations/{id}/resume"] = ByOrganization,
        ["POST /api/admin/organizations/{id}/keys"] = ByOrganization,
        ["DELETE /api/admin/organizations/{id}"] = (_, caller, id, method, path) => SendAsync(
            caller, method, path.Replace("{id}", id.Organization, StringComparison.Ordinal), """{"confirm":"Acme"}"""),
        ["GET /api/admin/organizations/{id}/ledger"] = (_, caller, id, method, path) =>
        SendAsync(caller, method, path.Replace("{id}", id.Organization, StringComparison.Ordinal)),
        ["DELETE /api/events"] = EraseAsync,
        ["DELETE /events"] = EraseAsync,
        ["GET /api/erasures/{id}"] = ByEndpoint,
        ["GET /api/ledger"] = Own,
        ["GET /api/usage"] = Own,
        ["GET /api/admin/organizations/{id}/usage"] = (_, caller, id, method, path) =>
        SendAsync(caller, method, path.Replace("{id}", id.Organization, StringComparison.Ordinal)),
        ["GET /api/export"] = (_, caller, id, method, path) =>
            SendAsync(caller, method, $"{path}?format={(id.Event[^1] % 2 == 0 ? "csv" : "json")}"),
    };

    /// <summary>Routes whose answer must be the same for another's id as for one that nobody has.</summary>
    public static bool AnswersLikeUnknown(string route) => route.Contains("{id}", StringComparison.Ordinal)
        || route.EndsWith("/ack", StringComparison.Ordinal);

    /// <summary>Reads from another's event on, in both directions.</summary>
    private static Task<Reply> ReadInboxAsync(ITestServer server, Organization caller, ForeignIds id, HttpMethod method, string path) =>
        SendAsync(caller, method, $"{path}?limit=1000&include=total&cursor={id.Event}&order={(id.Event[^1] % 2 == 0 ? "asc" : "desc")}");

    /// <summary>By another's id and by what its payloads hold: nothing is found.</summary>
    private static async Task<Reply> EraseAsync(ITestServer server, Organization caller, ForeignIds id, HttpMethod method, string path)
    {
        var byId = await SendAsync(caller, method, path, $$"""{"event_ids":["{{id.Event}}"]}""");
        Assert.Equal(200, byId.Status);
        Assert.Equal(0, (int)byId.Json["matched"]!);
        return await SendAsync(caller, method, path, $$"""{"payload_field":"none","equals":"{{id.Organization}}"}""");
    }

    /// <summary>Another's dedup id is free here.</summary>
    private static async Task<Reply> PostEventAsync(ITestServer server, Organization caller, ForeignIds id, HttpMethod method, string path)
    {
        var reply = await SendAsync(caller, method, path,
            $$"""{"type":"stranger","payload":{},"dedup_id":"{{id.DedupId}}","ordering_key":"{{id.Organization}}"}""");
        if (reply.Status == 202) caller.Learn(reply.Accepted());
        else Assert.Contains(reply.Duplicate(), caller.EventIds);
        return reply;
    }

    private static async Task<Reply> PostBatchAsync(ITestServer server, Organization caller, ForeignIds id, HttpMethod method, string path)
    {
        var reply = await SendAsync(caller, method, path, $$"""[{"type":"stranger","payload":{},"dedup_id":"{{id.DedupId}}"}]""");
        var result = reply.Json["results"]![0]!;
        if ((string?)result["status"] == "accepted") caller.Learn((string)result["id"]!);
        else Assert.Contains((string)result["event_id"]!, caller.EventIds);
        return reply;
    }

    private static async Task<Reply> RotateAsync(ITestServer server, Organization caller, ForeignIds id, HttpMethod method, string path)
    {
        var reply = await SendAsync(caller, method, path, $$"""{"grace_seconds":0,"organization_id":"{{id.Organization}}"}""");
        Assert.Equal(200, reply.Status);
        caller.Rotated(server, (string)reply.Json["api_key"]!);
        return reply;
    }

    private static Task<Reply> SendAsync(Organization caller, HttpMethod method, string path, string? body = null) =>
        caller.Tenant.SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), ("X-API-Key", caller.Tenant.Key));
}

/// <summary>Calls a route as one organization with ids of another.</summary>
internal delegate Task<Reply> Call(ITestServer server, Organization caller, ForeignIds id, HttpMethod method, string path);

/// <summary>What is put where a route takes something of its caller's.</summary>
/// <param name="Event">An event's id.</param>
/// <param name="Organization">An organization's id.</param>
/// <param name="DedupId">A dedup id.</param>
/// <param name="Endpoint">An endpoint's id.</param>
/// <param name="Key">A key's id.</param>
internal sealed record ForeignIds(string Event, string Organization, string DedupId, string Endpoint, string Key);
