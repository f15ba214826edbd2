using System.Globalization;
using System.Text;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>
/// Complete requests of <c>POST /api/events/batch</c> with a JSON array. For one thread: the bytes returned are valid until the next call.
/// </summary>
internal sealed class BatchEncoder
{
    /// <summary>The most bytes of a body that a server takes.</summary>
    public const int MostBytes = 4 << 20;

    private const int LengthDigits = 8; // Content-Length has leading zeros, which RFC 9110 (8.6) allows, so that the head never moves.

    private readonly RequestEncoder _bodies;
    private readonly int _headLength;
    private readonly int _lengthAt;
    private byte[] _request = new byte[1 << 20];
    private int _filled;

    /// <summary>Creates an encoder.</summary>
    public BatchEncoder(Uri server, string? apiKey, EventSource source)
    {
        _bodies = source.CreateEncoder((body, _) => body);
        var key = apiKey is null ? "" : $"X-API-Key: {apiKey}\r\n";
        var head = $"POST /api/events/batch HTTP/1.1\r\nHost: {server.Authority}\r\n{key}"
            + "Content-Type: application/json\r\nContent-Length: ";
        var bytes = Encoding.ASCII.GetBytes($"{head}{new string('0', LengthDigits)}\r\n\r\n[");
        bytes.CopyTo(_request, 0);
        (_lengthAt, _headLength) = (head.Length, bytes.Length - 1);
        Clear();
    }

    /// <summary>Items in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Begins a new batch.</summary>
    public void Clear() => (Count, _filled) = (0, _headLength + 1);

    /// <summary>Adds an event; false when the body would be too large with it. The first one always fits.</summary>
    public bool TryAdd(long content)
    {
        var body = _bodies.Encode(content);
        if (Count > 0 && _filled - _headLength + body.Length + 2 > MostBytes) return false;
        while (_filled + body.Length + 2 > _request.Length) Array.Resize(ref _request, _request.Length * 2);
        if (Count++ > 0) _request[_filled++] = (byte)',';
        body.CopyTo(_request.AsSpan(_filled));
        _filled += body.Length;
        return true;
    }

    /// <summary>The request with all that was added.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        _request[_filled] = (byte)']';
        var length = _filled + 1 - _headLength;
        Encoding.ASCII.GetBytes(length.ToString("D8", CultureInfo.InvariantCulture), _request.AsSpan(_lengthAt));
        return _request.AsSpan(0, _filled + 1);
    }
}
