using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ZapierTriggers.Load.Core.CommandLine;

/// <summary>The organization that a run sends for.</summary>
internal sealed class Account : IDisposable
{
    // As long as a real key, so that requests to a server without keys have the same size.
    private static readonly string Placeholder = "zap_live_" + new string('0', 8 + 43 + 6);

    // The ledger of tens of millions of events is counted row by row.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private Account(Uri server, string key, bool hasKeys = true)
    {
        (Key, HasKeys) = (key, hasKeys);
        Client = new HttpClient { BaseAddress = server, Timeout = Patience };
        Client.DefaultRequestHeaders.Add("X-API-Key", key);
    }

    /// <summary>The key to send.</summary>
    public string Key { get; }

    /// <summary>Whether the server knows keys, and so has an inbox for each organization.</summary>
    public bool HasKeys { get; }

    /// <summary>A client with the server's address and the key.</summary>
    public HttpClient Client { get; }

    /// <summary>An account at a server that knows none: a placeholder is sent as the key.</summary>
    public static Account WithoutKeys(Uri server) => new(server, Placeholder, hasKeys: false);

    /// <summary>Uses the given key, or makes an organization.</summary>
    /// <exception cref="UsageException">The server does not let us make one.</exception>
    public static async Task<Account> OpenAsync(Uri server, string? key, string? adminToken, string name)
    {
        if (key is not null) return new Account(server, key);

        using var client = new HttpClient { BaseAddress = server };
        if (adminToken is not null) client.DefaultRequestHeaders.Add("X-API-Key", adminToken);
        using var response = await client.PostAsJsonAsync("/api/keys/generate", new { organization_name = name, tier = "enterprise" });
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            throw new UsageException(
                $"{server} does not let us make an organization ({(int)response.StatusCode}): give --key or --admin-token.");
        if ((int)response.StatusCode >= 500)
        {
            throw new UsageException(
                $"{server} cannot make an organization now ({(int)response.StatusCode}): {await response.Content.ReadAsStringAsync()}");
        }

        if (response.StatusCode != HttpStatusCode.Created)
        {
            Console.WriteLine($"note      {server} makes no organizations ({(int)response.StatusCode}); a placeholder is sent as the key");
            return WithoutKeys(server);
        }

        var made = await response.Content.ReadFromJsonAsync<JsonElement>();
        var limit = made.GetProperty("rate_limit_per_minute");
        if (adminToken is not null) await LiftLimitAsync(client, made.GetProperty("organization_id").GetString()!);
        else Console.WriteLine($"note      the organization's limit is {limit} events a minute; --admin-token lifts it");
        return new Account(server, made.GetProperty("api_key").GetString()!);
    }

    /// <summary>Points the organization's webhook at an address. Returns the signing secret.</summary>
    /// <exception cref="UsageException">The server refuses the address; the message says what to do.</exception>
    public async Task<string> SetWebhookAsync(Uri url)
    {
        using var response = await Client.PostAsJsonAsync("/api/webhook/config", new { webhook_url = url.ToString() });
        await WebhookRefusal.ThrowIfRefusedAsync(response, url);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        return answer.GetProperty("secret").GetString()!;
    }

    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();

    private static async Task LiftLimitAsync(HttpClient client, string organization)
    {
        var change = new { rate_limit_per_minute = (int?)null };
        using var response = await client.PatchAsJsonAsync($"/api/admin/organizations/{organization}", change);
        if (!response.IsSuccessStatusCode)
            Console.WriteLine($"note      the rate limit stays: the server answered {(int)response.StatusCode} to the change");
    }
}
