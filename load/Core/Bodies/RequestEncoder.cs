using System.Text;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>
/// Complete HTTP/1.1 requests, ready to send, or their bodies alone: each template is encoded once, and a request is its bytes with the stamps overwritten.
/// For one thread: the bytes returned are valid until the next call.
/// </summary>
internal sealed class RequestEncoder
{
    private readonly byte[][] _requests;
    private readonly int[] _dedupOffsets;
    private readonly int[] _payloadOffsets;
    private readonly Stamp _stamp;

    /// <summary>Takes requests that carry the stamp of content 0 in their payload and, with dedup ids, as the dedup id before it.</summary>
    public RequestEncoder(byte[][] requests, Stamp stamp, bool hasDedupIds)
    {
        _requests = requests;
        _stamp = stamp;
        var zero = Encoding.ASCII.GetBytes(stamp.Text(0));
        _payloadOffsets = [.. requests.Select(request => request.AsSpan().LastIndexOf(zero))];
        _dedupOffsets = [.. requests.Select(request => hasDedupIds ? request.AsSpan().IndexOf(zero) : -1)];
    }

    /// <summary>The request of a content.</summary>
    public ReadOnlySpan<byte> Encode(long content)
    {
        var index = (int)(content % _requests.Length);
        var request = _requests[index];
        _stamp.Write(content, request.AsSpan(_payloadOffsets[index]));
        if (_dedupOffsets[index] >= 0) _stamp.Write(content, request.AsSpan(_dedupOffsets[index]));
        return request;
    }

    /// <summary>The bytes of a <c>POST /api/events</c> with this body.</summary>
    public static byte[] Build(Uri server, string? apiKey, byte[] body)
    {
        var key = apiKey is null ? "" : $"X-API-Key: {apiKey}\r\n";
        var head = $"POST /api/events HTTP/1.1\r\nHost: {server.Authority}\r\n{key}"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}
