using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>
/// The yardsticks of webhook delivery: a loop over .NET's own client that posts bodies of a delivery's size, made beforehand. Nothing is
/// read, recorded, decided or tried again. Without a secret nothing is signed either, and of the headers there is only the media type: the
/// least that such a loop can do. With one, each post is the message that the server sends: an id of its own, all headers, and a signature,
/// which covers the time of sending and so cannot be made beforehand.
/// </summary>
internal sealed class PlainPoster : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
    });

    private readonly Uri _url;
    private readonly byte[]? _key;
    private readonly (string Type, byte[] Bytes)[] _bodies;
    private int _left;

    /// <summary>Makes the bodies; nothing is connected yet.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="templates">Types.</param>
    /// <param name="source">Payloads.</param>
    /// <param name="secret"><c>whsec_</c> and base64, to sign with; null signs nothing.</param>
    public PlainPoster(Uri url, IReadOnlyList<EventTemplate> templates, EventSource source, string? secret = null)
    {
        _url = url;
        _key = secret is null ? null : Convert.FromBase64String(secret["whsec_".Length..]);
        _bodies = [.. templates.Select((template, index) => (template.Type, BodyOf(template.Type, source.PayloadOf(index))))];
    }

    /// <summary>Posts so many bodies with so many in flight; returns how long it took.</summary>
    /// <exception cref="HttpRequestException">One was not answered with 2xx.</exception>
    public async Task<TimeSpan> RunAsync(int count, int inFlight, CancellationToken cancellationToken)
    {
        _left = count;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => Task.Run(() => PostAsync(cancellationToken), cancellationToken)));
        return Stopwatch.GetElapsedTime(start);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task PostAsync(CancellationToken cancellationToken)
    {
        using var hmac = _key is null ? null : IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        while (Interlocked.Decrement(ref _left) is var left and >= 0)
        {
            var (type, body) = _bodies[left % _bodies.Length];
            var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(body) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            if (hmac is not null) Sign(request, type, body, hmac);
            using var response = await _client.SendAsync(request, cancellationToken);
            response.EnsureSuccessStatusCode();
        }
    }

    private static void Sign(HttpRequestMessage request, string type, byte[] body, IncrementalHash hmac)
    {
        var id = Guid.CreateVersion7().ToString();
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        hmac.AppendData(Encoding.ASCII.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        request.Headers.TryAddWithoutValidation("User-Agent", "ZapierTriggers/0.1.0");
        request.Headers.TryAddWithoutValidation("X-Event-ID", id);
        request.Headers.TryAddWithoutValidation("X-Event-Type", type);
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", timestamp);
        request.Headers.TryAddWithoutValidation("webhook-signature", "v1," + Convert.ToBase64String(hmac.GetHashAndReset()));
    }

    private static byte[] BodyOf(string type, byte[] payload)
    {
        var id = Guid.Empty.ToString();
        var head = $"{{\"id\":\"{id}\",\"event_id\":\"{id}\",\"type\":\"{type}\",\"data\":";
        return [.. Encoding.UTF8.GetBytes(head), .. payload, .. ",\"timestamp\":\"2026-01-31T08:00:00.000Z\"}"u8];
    }
}
