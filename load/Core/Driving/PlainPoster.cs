using System.Diagnostics;
using System.Net;
using System.Text;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>
/// The yardstick of webhook delivery: the least that .NET's own client must do to post bodies of a delivery's size. They are made
/// beforehand, nothing is signed, read, recorded or decided, and of the headers there is only the media type.
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
    private readonly byte[][] _bodies;
    private int _left;

    /// <summary>Makes the bodies; nothing is connected yet.</summary>
    public PlainPoster(Uri url, IReadOnlyList<EventTemplate> templates, EventSource source)
    {
        _url = url;
        _bodies = [.. templates.Select((template, index) => BodyOf(template.Type, source.PayloadOf(index)))];
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
        while (Interlocked.Decrement(ref _left) is var left and >= 0)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(_bodies[left % _bodies.Length]) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            using var response = await _client.SendAsync(request, cancellationToken);
            response.EnsureSuccessStatusCode();
        }
    }

    private static byte[] BodyOf(string type, byte[] payload)
    {
        var id = Guid.Empty.ToString();
        var head = $"{{\"id\":\"{id}\",\"event_id\":\"{id}\",\"type\":\"{type}\",\"data\":";
        return [.. Encoding.UTF8.GetBytes(head), .. payload, .. ",\"timestamp\":\"2026-01-31T08:00:00.000Z\"}"u8];
    }
}
