using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Contest.Wire;

/// <summary>
/// Redis Streams: <c>XADD events MAXLEN ~ 1000000 * e BODY</c> in RESP (an array of bulk strings), answered with the entry's id as a bulk
/// string. The stream is cut to its last million entries, so that a long comparison does not fill the memory.
/// </summary>
internal sealed class RedisProtocol(EventSource source) : IWireProtocol
{
    private readonly RequestEncoder _encoder = source.CreateEncoder((body, _) => Frame(body));

    /// <inheritdoc/>
    public void Open(Socket socket, int connection)
    {
        // Nothing has to be said before the first command.
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Encode(long content, int connection) => _encoder.Encode(content);

    /// <inheritdoc/>
    public WireReply TryRead(ReadOnlySpan<byte> received, out int consumed)
    {
        consumed = 0;
        var line = received.IndexOf("\r\n"u8);
        if (line < 0) return WireReply.Incomplete;
        consumed = line + 2;
        if (received[0] != (byte)'$' || !Utf8Parser.TryParse(received[1..line], out int length, out _) || length < 0)
            return WireReply.Refused;
        consumed += length + 2;
        return received.Length >= consumed ? WireReply.Acknowledged : WireReply.Incomplete;
    }

    private static byte[] Frame(byte[] body)
    {
        var request = new List<byte>(Encoding.ASCII.GetBytes("*8\r\n"));
        byte[][] parts = [.. new[] { "XADD", "events", "MAXLEN", "~", "1000000", "*", "e" }.Select(Encoding.ASCII.GetBytes), body];
        foreach (var part in parts) request.AddRange([.. Encoding.ASCII.GetBytes($"${part.Length}\r\n"), .. part, .. "\r\n"u8]);
        return [.. request];
    }
}
