using System.Text;
using System.Text.Json.Nodes;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>An organization and its key, calling the server that it was made at.</summary>
internal sealed class Tenant(ITestServer server, string organizationId, string key)
{
    public string OrganizationId => organizationId;

    public string Key => key;

    /// <summary>Sends an event, a body as it is.</summary>
    public Task<Reply> PostEventAsync(string body, params (string Name, string? Value)[] headers) =>
        PostEventAsync(Encoding.UTF8.GetBytes(body), headers);

    /// <summary>Sends an event, a body as it is; the media type is JSON unless the headers name one.</summary>
    public Task<Reply> PostEventAsync(byte[] body, params (string Name, string? Value)[] headers) =>
        SendAsync(HttpMethod.Post, "/api/events", body, [("X-API-Key", key), .. headers]);

    /// <summary>Reads.</summary>
    public Task<Reply> GetAsync(string path) => SendAsync(HttpMethod.Get, path, body: null, [("X-API-Key", key)]);

    /// <summary>Calls something else.</summary>
    public Task<Reply> PostAsync(string path, string? body = null) =>
        SendAsync(HttpMethod.Post, path, body is null ? null : Encoding.UTF8.GetBytes(body), [("X-API-Key", key)]);

    /// <summary>Changes.</summary>
    public Task<Reply> PatchAsync(string path, string body) =>
        SendAsync(HttpMethod.Patch, path, Encoding.UTF8.GetBytes(body), [("X-API-Key", key)]);

    /// <summary>Removes.</summary>
    public Task<Reply> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, body: null, [("X-API-Key", key)]);

    /// <summary>Sends these headers (one that is null not at all); the key only if it is among them.</summary>
    public async Task<Reply> SendAsync(HttpMethod method, string path, byte[]? body, params (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (!headers.Any(header => header.Name == "Content-Type")) request.Content.Headers.ContentType = new("application/json");
        }

        foreach (var (name, value) in headers)
        {
            var isOfContent = name.StartsWith("Content-", StringComparison.Ordinal);
            if (value is null) continue;
            if (isOfContent) request.Content!.Headers.TryAddWithoutValidation(name, value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await server.Client.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    /// <summary>The whole inbox in the order of acceptance, page by page.</summary>
    public async Task<IReadOnlyList<InboxEvent>> ReadInboxAsync(string filter = "")
    {
        var all = new List<InboxEvent>();
        var cursor = "";
        while (true)
        {
            var page = await GetAsync($"/api/inbox?order=asc&limit=100{cursor}{filter}");
            Assert.Equal(200, page.Status);
            all.AddRange(InboxEvent.ReadPage(page.Bytes));
            if (!(bool)page.Json["has_more"]!) return all;
            cursor = $"&cursor={(string)page.Json["next_cursor"]!}";
        }
    }

    /// <summary>Sets the organization's default webhook; returns the signing secret.</summary>
    public async Task<string> SetWebhookAsync(string url)
    {
        var reply = await PostAsync("/api/webhook/config", new JsonObject { ["webhook_url"] = url }.ToJsonString());
        Assert.Equal(200, reply.Status);
        return (string)reply.Json["secret"]!;
    }
}
