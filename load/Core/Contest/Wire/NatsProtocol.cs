using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Contest.Wire;

/// <summary>
/// NATS JetStream, publish with acknowledgement: <c>HPUB events.load INBOX headers total</c> with the dedup id as <c>Nats-Msg-Id</c>, or
/// <c>PUB</c> without one; answered by <c>MSG INBOX sid length</c> with <c>{"stream":…,"seq":…}</c>. Each connection has an inbox of
/// its own.
/// </summary>
internal sealed class NatsProtocol : IWireProtocol
{
    private const string Subject = "events.load";
    private static readonly byte[] Hello = Encoding.ASCII.GetBytes(
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1,\"name\":\"load\"}\r\n");

    private readonly RequestEncoder _encoder;
    private readonly bool _hasIds;
    private byte[] _request = new byte[4096];

    /// <summary>Creates it for the events of a source.</summary>
    public NatsProtocol(EventSource source)
    {
        _hasIds = source.Dedup.HasIds;
        _encoder = source.CreateEncoder((body, id) => [.. Header(id), .. body, .. "\r\n"u8]);
    }

    private static int HeaderLength { get; } = Header(new string('0', Stamp.Length)).Length;

    /// <summary>Makes the stream, kept in files, if it is not there.</summary>
    /// <exception cref="IOException">The server refused.</exception>
    public static void CreateStream(Socket socket)
    {
        Greet(socket, "_INBOX.setup");
        var body = "{\"name\":\"EVENTS\",\"subjects\":[\"events.>\"],\"storage\":\"file\"}";
        Handshake.Send(socket, Encoding.ASCII.GetBytes($"PUB $JS.API.STREAM.CREATE.EVENTS _INBOX.setup {body.Length}\r\n{body}\r\n"));
        var answer = Encoding.ASCII.GetString(Handshake.Receive(socket, bytes => bytes.AsSpan().IndexOf("}\r\n"u8) >= 0));
        if (answer.Contains("\"error\"", StringComparison.Ordinal)) throw new IOException($"NATS made no stream: {answer}");
    }

    /// <inheritdoc/>
    public void Open(Socket socket, int connection) => Greet(socket, InboxOf(connection));

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Encode(long content, int connection)
    {
        var rest = _encoder.Encode(content);
        var line = _hasIds
            ? $"HPUB {Subject} {InboxOf(connection)} {HeaderLength} {rest.Length - 2}\r\n"
            : $"PUB {Subject} {InboxOf(connection)} {rest.Length - 2}\r\n";
        if (_request.Length < line.Length + rest.Length) _request = new byte[line.Length + rest.Length];
        var length = Encoding.ASCII.GetBytes(line, _request);
        rest.CopyTo(_request.AsSpan(length));
        return _request.AsSpan(0, length + rest.Length);
    }

    /// <inheritdoc/>
    public WireReply TryRead(ReadOnlySpan<byte> received, out int consumed)
    {
        consumed = 0;
        var line = received.IndexOf("\r\n"u8);
        if (line < 0) return WireReply.Incomplete;
        consumed = line + 2;
        if (received.StartsWith("-ERR"u8)) return WireReply.Refused;

        // PING wants an answer within minutes, +OK and INFO none: a round is over long before.
        if (!received.StartsWith("MSG "u8) && !received.StartsWith("HMSG "u8)) return WireReply.PassedOver;
        var last = received[..line].LastIndexOf((byte)' ') + 1;
        if (!Utf8Parser.TryParse(received[last..line], out int length, out _)) return WireReply.Refused;
        var body = consumed;
        consumed += length + 2;
        if (received.Length < consumed) return WireReply.Incomplete;
        return received.Slice(body, length).IndexOf("\"seq\""u8) >= 0 ? WireReply.Acknowledged : WireReply.Refused;
    }

    private static void Greet(Socket socket, string inbox)
    {
        Handshake.Receive(socket, bytes => bytes.AsSpan().IndexOf("\r\n"u8) >= 0);
        Handshake.Send(socket, [.. Hello, .. Encoding.ASCII.GetBytes($"SUB {inbox} 1\r\nPING\r\n")]);
        Handshake.Receive(socket, bytes => bytes.AsSpan().IndexOf("PONG\r\n"u8) >= 0);
    }

    private static byte[] Header(string? id) => id is null ? [] : Encoding.ASCII.GetBytes($"NATS/1.0\r\nNats-Msg-Id: {id}\r\n\r\n");

    private static string InboxOf(int connection) => $"_INBOX.load.{connection}";
}
