using System.Text;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>
/// Complete HTTP/1.1 requests, ready to send, or their bodies alone: each template is encoded once, and a request is its bytes with the
/// stamps overwritten.
/// For one thread: the bytes returned are valid until the next call.
/// </summary>
internal sealed class RequestEncoder
{
    private readonly byte[][] _requests;
    private readonly int[][] _offsets;
    private readonly Stamp _stamp;

    /// <summary>Takes requests that carry the stamp of content 0 wherever a stamp is to be.</summary>
    public RequestEncoder(byte[][] requests, Stamp stamp)
    {
        _requests = requests;
        _stamp = stamp;
        var zero = Encoding.ASCII.GetBytes(stamp.Text(0));
        _offsets = [.. requests.Select(request => Find(request, zero))];
    }

    /// <summary>The request of a content.</summary>
    public ReadOnlySpan<byte> Encode(long content)
    {
        var index = (int)(content % _requests.Length);
        var request = _requests[index];
        foreach (var offset in _offsets[index]) _stamp.Write(content, request.AsSpan(offset));
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

    private static int[] Find(ReadOnlySpan<byte> request, ReadOnlySpan<byte> stamp)
    {
        var offsets = new List<int>();
        for (var from = 0; request[from..].IndexOf(stamp) is var at and >= 0; from += at + stamp.Length) offsets.Add(from + at);
        return [.. offsets];
    }
}
