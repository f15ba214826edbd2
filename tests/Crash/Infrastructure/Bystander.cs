using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// Does what is rarer than events, over and over, whatever becomes of the server meanwhile: makes organizations, gives them webhooks,
/// rotates their keys, sends, acknowledges and replays events, sends events that the store refuses. <see cref="VerifyAsync"/> holds what
/// was answered against what is there. What was not answered may be either way.
/// </summary>
internal sealed class Bystander : IAsyncDisposable
{
    /// <summary>The type of events that the store refuses; see <see cref="Poison"/>.</summary>
    public const string PoisonType = "poison";

    private const int PoisonEvery = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly HttpClient _client;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Known> _known = [];
    private readonly Task _running;

    /// <summary>Starts.</summary>
    public Bystander(Uri server)
    {
        _client = new HttpClient { BaseAddress = server, Timeout = TimeSpan.FromSeconds(10) };
        _running = RunAsync();
    }

    /// <summary>Rounds answered to their end.</summary>
    public int Rounds { get; private set; }

    /// <summary>Why it gave up: an answer that no fault explains. Null while all is well.</summary>
    public string? Failure => _running.Exception?.InnerException?.Message;

    /// <summary>Ends what it does; to be called before the server's last start.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await _running;
    }

    /// <summary>
    /// Asserts that every key that was answered works, every webhook that was answered is set, and every acknowledgement stands as it was
    /// told.
    /// </summary>
    public async Task VerifyAsync()
    {
        foreach (var known in _known)
        {
            var keys = await SendAsync(known.Key, HttpMethod.Get, "/api/keys", body: null);
            Assert.Equal(known.Organization, keys?.GetProperty("organization_id").GetString());
            if (known.Webhook is not null) Assert.Equal(known.Webhook, keys?.GetProperty("webhook_url").GetString());
            if (known.AcknowledgedAt is null) continue;
            var again = await SendAsync(known.Key, HttpMethod.Post, $"/api/ack/{known.Acknowledged}", body: null);
            Assert.Equal(known.AcknowledgedAt, again?.GetProperty("acknowledged_at").GetString());
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _client.Dispose();
        _end.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Pause);
        while (!_end.IsCancellationRequested)
        {
            if (await RoundAsync()) Rounds++;
            await Task.WhenAny(timer.WaitForNextTickAsync().AsTask());
        }
    }

    /// <summary>One organization's life; false when an answer did not come.</summary>
    private async Task<bool> RoundAsync()
    {
        if (await SendAsync(ServerSetup.AdminToken, HttpMethod.Post, "/api/keys/generate", new { organization_name = "Bystander" }) is not { } made) return false;
        var known = new Known
        {
            Organization = made.GetProperty("organization_id").GetString()!,
            Key = made.GetProperty("api_key").GetString()!,
        };
        _known.Add(known);
        if (await SendAsync(known.Key, HttpMethod.Post, "/api/events", new { type = "seen", payload = new { } }) is not { } taken)
            return false;
        known.Acknowledged = taken.GetProperty("id").GetString();
        if (await SendAsync(known.Key, HttpMethod.Post, $"/api/ack/{known.Acknowledged}", body: null) is not { } acknowledged) return false;
        known.AcknowledgedAt = acknowledged.GetProperty("acknowledged_at").GetString();

        // Nothing listens there, and no event comes behind it.
        const string Webhook = "http://127.0.0.1:9/hook";
        if (await SendAsync(known.Key, HttpMethod.Post, "/api/webhook/config", new { webhook_url = Webhook }) is null) return false;
        known.Webhook = Webhook;

        // Again to where nothing listens; of dead letters there are none.
        if (await SendAsync(known.Key, HttpMethod.Post, $"/api/events/{known.Acknowledged}/replay", body: null) is null) return false;
        if (await SendAsync(known.Key, HttpMethod.Post, "/api/dead-letters/replay", body: null) is null) return false;
        _known.Remove(known); // until the rotation is answered either key may be the right one
        if (await SendAsync(known.Key, HttpMethod.Post, "/api/keys/rotate", body: null) is not { } rotated) return false;
        known.Key = rotated.GetProperty("api_key").GetString()!;
        _known.Add(known);

        // Finding a refused row takes the store seconds on a busy machine, and what comes behind it waits.
        if (Rounds % PoisonEvery != 0) return true;
        return await SendAsync(known.Key, HttpMethod.Post, "/api/events", new { type = PoisonType, payload = new { } }) is not null;
    }

    /// <summary>The answer's body; null when none came, or when the server says that it cannot answer now.</summary>
    private async Task<JsonElement?> SendAsync(string key, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-API-Key", key);
        if (body is not null) request.Content = JsonContent.Create(body);
        try
        {
            using var answer = await _client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode) return JsonDocument.Parse(text).RootElement;
            Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable, $"{method} {path}: {(int)answer.StatusCode} {text}");
            return null;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or SocketException)
        {
            return null;
        }
    }

    private sealed class Known
    {
        public required string Organization { get; init; }

        public required string Key { get; set; }

        public string? Webhook { get; set; }

        public string? Acknowledged { get; set; }

        public string? AcknowledgedAt { get; set; }
    }
}
