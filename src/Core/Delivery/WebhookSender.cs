using System.Buffers;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Makes one try: signs, posts, reads the answer. Every failure is a <see cref="TryResult"/>, never an exception. What the client may and
/// may not do is fixed here: no redirects, cookies, proxies of the environment, decompression, certificate downloads or trace headers of
/// the client's own, HTTP/1.1 only, one deadline over everything.
/// </summary>
internal sealed partial class WebhookSender : IDisposable
{
    /// <summary>Unread bytes of an answer that are read away to keep its connection; past them it is closed.</summary>
    private const int MaxDrainBytes = 16 * 1024;

    private const string TraceParent = "traceparent";

    private readonly HttpMessageInvoker _pooled;
    private readonly HttpMessageInvoker _fresh;
    private readonly EgressProxy? _proxy;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _userAgent;

    /// <summary>Creates a sender with its own connection pool.</summary>
    public WebhookSender(DeliveryOptions options, GuardedConnector connector, TimeProvider time, ILogger logger)
    {
        _proxy = options.Proxy;
        _timeout = options.Timeout;
        _time = time;
        _logger = logger;
        _userAgent = $"ZapierTriggers/{typeof(WebhookSender).Assembly.GetName().Version?.ToString(3)}";
        _pooled = new HttpMessageInvoker(CreateHandler(options, connector, pooled: true));
        _fresh = new HttpMessageInvoker(CreateHandler(options, connector, pooled: false));
    }

    /// <summary>
    /// Sends the event under the target's configuration. <paramref name="stop"/> cuts the try off: <see cref="DeliveryError.Stopped"/>.
    /// </summary>
    public async Task<TryResult> SendAsync(WebhookTarget target, DueEvent due, CancellationToken stop)
    {
        var at = _time.GetUtcNow();
        if (target.Uri is null)
            return new TryResult { Error = DeliveryError.BlockedAddress, ErrorText = target.Refusal, At = at, Latency = TimeSpan.Zero };

        var start = _time.GetTimestamp();
        using var deadline = new CancellationTokenSource(target.TimeoutWithin(_timeout), _time);
        await using var stopping = stop.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), deadline);
        try
        {
            using var response = await PostAsync(target, due, at, deadline.Token);
            return await ReadAsync(response, at, start, deadline.Token);
        }
        catch (Exception exception)
        {
            var (error, text) = stop.IsCancellationRequested
                ? (DeliveryError.Stopped, "The server stops.")
                : TransportErrors.Explain(exception, AddressGuard.LiteralOf(target.Uri) is not null, _proxy);
            if (error == DeliveryError.Internal) Log.Unexpected(_logger, exception, target.Endpoint.Id);
            return new TryResult { Error = error, ErrorText = text, At = at, Latency = _time.GetElapsedTime(start) };
        }
    }

    /// <summary>The headers of a try that was made at that time; none where nothing can be sent.</summary>
    public IReadOnlyList<EndpointHeader> HeadersOf(WebhookTarget target, DueEvent due, DateTimeOffset at)
    {
        if (target.Uri is null) return [];
        using var request = CreateRequest(target, due, at);
        // Asked for, or it is not there yet.
        _ = request.Content!.Headers.ContentLength;
        var headers = request.Content.Headers.NonValidated.Concat(request.Headers.NonValidated);
        return [.. headers.Select(static pair => new EndpointHeader(pair.Key, pair.Value.ToString()))];
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose()
    {
        _pooled.Dispose();
        _fresh.Dispose();
    }

    /// <summary>
    /// Posts, over an idle pooled connection if there is one. A receiver may close that at the very moment we use it; then (and only then)
    /// the request is sent once more at once, on a connection opened for it: this is no failure of the receiver's.
    /// </summary>
    private async Task<HttpResponseMessage> PostAsync(
        WebhookTarget target, DueEvent due, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var request = CreateRequest(target, due, at);
        try
        {
            return await _pooled.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException exception) when (
            !request.Connected && TransportErrors.Explain(exception, literalHost: false).Error == DeliveryError.ConnectionLost)
        {
            return await _fresh.SendAsync(CreateRequest(target, due, at), cancellationToken);
        }
    }

    private WebhookRequest CreateRequest(WebhookTarget target, DueEvent due, DateTimeOffset at)
    {
        var content = WebhookContent.Of(due, target.Endpoint.Format);
        var id = due.Id.ToString();
        var seconds = at.ToUnixTimeSeconds();
        var signature = target.SignatureAt(at).Sign(due.Id, seconds, content.Head.Span, content.Payload.Span, content.Tail.Span);

        var request = new WebhookRequest(target.Uri!) { Content = content };
        var mediaType = target.Endpoint.Format == WebhookFormat.CloudEvents ? CloudEventBody.MediaType : "application/json";
        content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        var headers = request.Headers;
        headers.TryAddWithoutValidation("User-Agent", _userAgent);
        headers.TryAddWithoutValidation("X-Event-ID", id);
        headers.TryAddWithoutValidation("X-Event-Type", HeaderText.Encode(due.Type));
        headers.TryAddWithoutValidation("webhook-id", id);
        headers.TryAddWithoutValidation("webhook-timestamp", seconds.ToString(CultureInfo.InvariantCulture));
        headers.TryAddWithoutValidation("webhook-signature", signature);
        // Only of an event that has a trace, or while somebody traces; an owner's own header of that name wins.
        if (Spans.TraceParentOf(due) is { } trace && !target.Endpoint.Headers.Any(IsTraceParent))
            headers.TryAddWithoutValidation(TraceParent, trace);
        foreach (var (name, value) in target.Endpoint.Headers)
        {
            // Some names the framework knows as the body's (Expires, Last-Modified).
            if (!headers.TryAddWithoutValidation(name, value)) request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static bool IsTraceParent(EndpointHeader header) => header.Name.Equals(TraceParent, StringComparison.OrdinalIgnoreCase);

    private async Task<TryResult> ReadAsync(
        HttpResponseMessage response, DateTimeOffset at, long start, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var (error, text) = TransportErrors.Explain(status, _proxy);
        TimeSpan? retryAfter = null;
        if (error == DeliveryError.Overloaded && response.Headers.NonValidated.TryGetValues("Retry-After", out var values))
            retryAfter = RetryAfter.Parse(values.ToString(), at);

        var answer = response.Content.Headers.ContentLength == 0 ? null : await ReadTextAsync(response.Content, cancellationToken);
        return new TryResult
        {
            Error = error,
            ErrorText = text,
            Status = status,
            At = at,
            Latency = _time.GetElapsedTime(start),
            Answer = answer,
            RetryAfter = retryAfter,
        };
    }

    private static async Task<string?> ReadTextAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(AnswerText.MaxBytes);
        try
        {
            await using var stream = await content.ReadAsStreamAsync(cancellationToken);
            var length = await stream.ReadAtLeastAsync(
                buffer.AsMemory(0, AnswerText.MaxBytes), AnswerText.MaxBytes, throwOnEndOfStream: false, cancellationToken);
            return AnswerText.Sanitise(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static SocketsHttpHandler CreateHandler(DeliveryOptions options, GuardedConnector connector, bool pooled) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = options.Proxy is not null,
        Proxy = options.Proxy,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = pooled ? TimeSpan.FromMinutes(2) : TimeSpan.Zero,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        // Opening a connection goes on after its request has given up; this ends it.
        ConnectTimeout = options.Timeout,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = MaxDrainBytes,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        ConnectCallback = options.Proxy is { } proxy ? new ProxyConnector(proxy).ConnectAsync : connector.ConnectAsync,
        PlaintextStreamFilter = options.Proxy is null ? null : static (context, _) => ProxyConnector.TunnelOpened(context),
        RequestHeaderEncodingSelector = static (_, _) => Encoding.ASCII,
        SslOptions =
        {
            CertificateChainPolicy =
                new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
        },
    };

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.WebhookSenderUnexpected, Level = LogLevel.Error,
            Message = "A webhook try to endpoint {EndpointId} failed in an unexpected way")]
        public static partial void Unexpected(ILogger logger, Exception exception, Guid endpointId);
    }
}
