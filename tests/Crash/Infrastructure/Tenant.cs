using System.Net.Http.Json;
using System.Text.Json;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>One organization without a rate limit, and its key.</summary>
internal sealed class Tenant : IDisposable
{
    private Tenant(Uri server, string id, string key)
    {
        (Id, Key) = (id, key);
        Client = new HttpClient { BaseAddress = server };
        Client.DefaultRequestHeaders.Add("X-API-Key", key);
    }

    /// <summary>Its id.</summary>
    public string Id { get; }

    /// <summary>Its key.</summary>
    public string Key { get; }

    /// <summary>A client that sends the key; it serves every start of the same server.</summary>
    public HttpClient Client { get; }

    /// <summary>Makes it.</summary>
    public static async Task<Tenant> CreateAsync(Uri server)
    {
        using var admin = new HttpClient { BaseAddress = server };
        admin.DefaultRequestHeaders.Add("X-API-Key", ServerSetup.AdminToken);
        var made = await SendAsync(
            admin, HttpMethod.Post, "/api/keys/generate",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["organization_name"] = "Crash" });
        var id = made.GetProperty("organization_id").GetString()!;
        await SendAsync(
            admin, HttpMethod.Patch, $"/api/admin/organizations/{id}",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["rate_limit_per_minute"] = null });
        return new Tenant(server, id, made.GetProperty("api_key").GetString()!);
    }

    /// <summary>Points its webhooks at a receiver. Returns the signing secret.</summary>
    public async Task<string> SetWebhookAsync(Uri receiver)
    {
        var url = new Uri(receiver, "/hook").ToString();
        var answer = await SendAsync(
            Client, HttpMethod.Post, "/api/webhook/config",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["webhook_url"] = url });
        return answer.GetProperty("secret").GetString()!;
    }

    /// <summary>Sends one event without a dedup id; the status of the answer.</summary>
    public async Task<System.Net.HttpStatusCode> SendAsync(ServerProcess server)
    {
        using var body = JsonContent.Create(new { type = "t", payload = new { } });
        using var answer = await Client.PostAsync(new Uri(server.Setup.Address, "/api/events"), body);
        return answer.StatusCode;
    }

    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();

    private static async Task<JsonElement> SendAsync(HttpClient client, HttpMethod method, string path, Dictionary<string, object?> body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }
}
