using System.Net;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// A try's request. It remembers whether a connection was opened for it: if none was, it went out over an idle pooled one.
/// </summary>
internal sealed class WebhookRequest : HttpRequestMessage
{
    /// <summary>Creates a POST over HTTP/1.1.</summary>
    public WebhookRequest(Uri uri)
        : base(HttpMethod.Post, uri)
    {
        Version = HttpVersion.Version11;
        VersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }

    /// <summary>
    /// Whether opening a connection began for this request. Set by the connector on another thread, before the request can have failed on
    /// that connection.
    /// </summary>
    public bool Connected { get; set; }
}

/// <summary>A body in three pieces, none of which is copied: head, payload, tail.</summary>
internal sealed class WebhookContent(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte> tail) : HttpContent
{
    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(head, cancellationToken);
        await stream.WriteAsync(payload, cancellationToken);
        await stream.WriteAsync(tail, cancellationToken);
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = (long)head.Length + payload.Length + tail.Length;
        return true;
    }
}
