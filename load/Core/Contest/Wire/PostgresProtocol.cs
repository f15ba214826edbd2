using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Contest.Wire;

/// <summary>
/// PostgreSQL's protocol 3.0: a prepared single-row INSERT, one transaction each (Bind, Execute, Sync; answered up to ReadyForQuery). A
/// message
/// is <c>type (1 byte), length (4, itself included), content</c>. For a server that trusts the connection.
/// </summary>
internal sealed class PostgresProtocol(EventSource source) : IWireProtocol
{
    private const string Insert = "insert into events (body) values ($1)";
    private const byte ReadyForQuery = (byte)'Z';
    private const byte Error = (byte)'E';

    private readonly RequestEncoder _encoder = source.CreateEncoder((body, _) => Frame(body));

    /// <summary>Makes the table.</summary>
    /// <exception cref="IOException">The server refused.</exception>
    public static void CreateTable(Socket socket)
    {
        Start(socket);
        const string Table = "create table events (id bigint generated always as identity primary key,"
            + " at timestamptz not null default now(), body bytea not null)";
        Exchange(socket, Message('Q', Text(Table)));
    }

    /// <inheritdoc/>
    public void Open(Socket socket, int connection)
    {
        Start(socket);
        Exchange(socket, [.. Message('P', [.. Text("i"), .. Text(Insert), 0, 0]), .. Message('S', [])]);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Encode(long content, int connection) => _encoder.Encode(content);

    /// <inheritdoc/>
    public WireReply TryRead(ReadOnlySpan<byte> received, out int consumed) => Read(received, out consumed);

    private static WireReply Read(ReadOnlySpan<byte> received, out int consumed)
    {
        consumed = 0;
        var isRefused = false;
        while (received.Length - consumed >= 5)
        {
            var length = 1 + BinaryPrimitives.ReadInt32BigEndian(received[(consumed + 1)..]);
            if (received.Length - consumed < length) break;
            isRefused |= received[consumed] == Error;
            var isEnd = received[consumed] == ReadyForQuery;
            consumed += length;
            if (isEnd) return isRefused ? WireReply.Refused : WireReply.Acknowledged;
        }

        consumed = 0;
        return WireReply.Incomplete;
    }

    private static void Start(Socket socket)
    {
        const int Version = 196608; // 3.0
        byte[] content = [.. Number(Version), .. Text("user"), .. Text("postgres"), .. Text("database"), .. Text("postgres"), 0];
        Exchange(socket, [.. Number(content.Length + 4), .. content]);
    }

    private static void Exchange(Socket socket, byte[] messages)
    {
        Handshake.Send(socket, messages);
        var answer = Handshake.Receive(socket, bytes => Read(bytes, out _) != WireReply.Incomplete);
        if (Read(answer, out _) == WireReply.Refused) throw new IOException($"PostgreSQL refused: {Encoding.UTF8.GetString(answer)}");
    }

    private static byte[] Frame(byte[] body) =>
    [
        .. Message('B', [0, .. Text("i"), 0, 1, 0, 1, 0, 1, .. Number(body.Length), .. body, 0, 0]), // One parameter, binary.
        .. Message('E', [0, 0, 0, 0, 0]),
        .. Message('S', []),
    ];

    private static byte[] Message(char type, byte[] content) => [(byte)type, .. Number(content.Length + 4), .. content];

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
