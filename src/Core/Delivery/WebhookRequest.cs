using System.Buffers;
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

/// <summary>
/// A body in three pieces: a large payload is not copied. A small one is, into the first piece, because three calls of everything that
/// signs and sends cost more.
/// </summary>
internal sealed class WebhookContent : HttpContent
{
    /// <summary>A request with so much payload still goes out in one system call: the client's buffer has 4 KB.</summary>
    private const int SmallPayload = 3 * 1024;

    /// <summary>Of the first piece, without type and payload.</summary>
    private const int HeadRoom = 128;

    private WebhookContent(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte> tail)
    {
        (Head, Payload, Tail) = (head, payload, tail);
    }

    /// <summary>The first piece, or all.</summary>
    public ReadOnlyMemory<byte> Head { get; }

    /// <summary>The payload, unless it is in the first piece.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The last piece, unless it is in the first one.</summary>
    public ReadOnlyMemory<byte> Tail { get; }

    /// <summary>The body of an event.</summary>
    public static WebhookContent Of(DueEvent due, WebhookFormat format)
    {
        var isCloudEvent = format == WebhookFormat.CloudEvents;
        if (due.Payload.Length <= SmallPayload)
        {
            var whole = new ArrayBufferWriter<byte>(HeadRoom + due.Type.Length + due.Payload.Length + WebhookBody.TailLength);
            if (isCloudEvent) CloudEventBody.Write(whole, due);
            else WebhookBody.Write(whole, due);
            return new WebhookContent(whole.WrittenMemory, default, default);
        }

        var head = new ArrayBufferWriter<byte>(HeadRoom + due.Type.Length);
        if (isCloudEvent) CloudEventBody.WriteHead(head, due);
        else WebhookBody.WriteHead(head, due);
        var tail = new ArrayBufferWriter<byte>(WebhookBody.TailLength);
        if (isCloudEvent) CloudEventBody.WriteTail(tail, due);
        else WebhookBody.WriteTail(tail, due);
        return new WebhookContent(head.WrittenMemory, due.Payload, tail.WrittenMemory);
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        Payload.IsEmpty ? stream.WriteAsync(Head, cancellationToken).AsTask() : WritePiecesAsync(stream, cancellationToken);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = (long)Head.Length + Payload.Length + Tail.Length;
        return true;
    }

    private async Task WritePiecesAsync(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Head, cancellationToken);
        await stream.WriteAsync(Payload, cancellationToken);
        await stream.WriteAsync(Tail, cancellationToken);
    }
}
