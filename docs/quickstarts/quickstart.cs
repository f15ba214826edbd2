// Five steps with what .NET 10 has built in.
#:property PublishAot=false
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

using var client = new HttpClient { BaseAddress = new Uri(Environment.GetEnvironmentVariable("ZAPIER_URL") ?? "http://localhost:8080") };

// The key. In production the operator makes it; a server in Development lets anyone.
var key = Environment.GetEnvironmentVariable("ZAPIER_KEY")
    ?? (string)(await CallAsync(HttpMethod.Post, "/api/keys/generate", """{"organization_name": "Quick start"}"""))["api_key"]!;
client.DefaultRequestHeaders.Add("X-API-Key", key);

// 1. Send an event. 202 means that it is kept; with a dedup_id it can be sent again safely.
var sent = await CallAsync(HttpMethod.Post, "/api/events", $$"""{"type": "order.paid", "payload": {"order": 7, "total": 12.50}, "dedup_id": "{{Guid.NewGuid()}}"}""");
Console.WriteLine($"sent {sent["id"]}");

// 2. Send many: each has its own result.
var batch = await CallAsync(HttpMethod.Post, "/api/events/batch", """[{"type": "order.sent", "payload": {"order": 7}}, {"type": "order.sent", "payload": {"order": 8}}]""");
Console.WriteLine($"accepted {batch["accepted"]}");

// 3. Read what is pending, oldest first. next_cursor goes on from there.
var page = await CallAsync(HttpMethod.Get, "/api/inbox?status=pending&order=asc&limit=10");
var events = page["events"]!.AsArray();
Console.WriteLine($"pending {string.Join(", ", events.Select(one => (string)one!["type"]!))}");

// 4. Acknowledge what has been handled.
var ids = string.Join(", ", events.Select(one => $"\"{one!["id"]}\""));
var done = await CallAsync(HttpMethod.Post, "/api/inbox/ack", $$"""{"event_ids": [{{ids}}]}""");
Console.WriteLine($"acknowledged {done["acknowledged"]}");

// 5. Receive a webhook, and verify it.
var secret = (string)(await CallAsync(HttpMethod.Post, "/api/webhook/config", """{"webhook_url": "http://127.0.0.1:9091/hook"}"""))["secret"]!;
using var listener = new HttpListener { Prefixes = { "http://127.0.0.1:9091/" } };
listener.Start();
await CallAsync(HttpMethod.Post, "/api/events", """{"type": "order.closed", "payload": {"order": 7}}""");
while (true)
{
    var context = await listener.GetContextAsync().WaitAsync(TimeSpan.FromSeconds(30));
    using var copy = new MemoryStream();
    await context.Request.InputStream.CopyToAsync(copy);
    var good = Verify(secret, name => context.Request.Headers[name] ?? "", copy.ToArray());
    context.Response.StatusCode = good ? 204 : 400;
    context.Response.Close();
    if (!good) continue;
    Console.WriteLine($"webhook verified: {JsonNode.Parse(copy.ToArray())!["type"]}");
    return;
}

async Task<JsonNode> CallAsync(HttpMethod method, string path, string? json = null)
{
    using var request = new HttpRequestMessage(method, path);
    if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
    using var answer = await client.SendAsync(request);
    var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    return answer.IsSuccessStatusCode ? body : throw new InvalidOperationException($"{body["title"]}: {body["detail"]}");
}

// HMAC-SHA256 over id.timestamp.body as it came, keyed with the secret's decoded bytes; not older than five minutes.
static bool Verify(string secret, Func<string, string> header, byte[] body)
{
    var (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    if (!long.TryParse(timestamp, out var seconds) || Math.Abs(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - seconds) > 300)
        return false;
    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
    var made = "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret.Replace("whsec_", "")), signed));
    return header("webhook-signature").Split(' ').Any(
        one => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), Encoding.ASCII.GetBytes(made)));
}
