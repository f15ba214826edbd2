using System.Buffers.Binary;
using System.Text;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>
/// One message of the frontend/backend protocol (PostgreSQL manual, 55.7): a type byte, a length that counts itself, the body. A client's
/// first message has no type.
/// </summary>
/// <param name="FromClient">Whether the client sent it.</param>
/// <param name="Kind">Its type byte; <see cref="Startup"/> for a client's first message.</param>
/// <param name="Bytes">All of it.</param>
/// <param name="Place">
/// How many messages of the same direction came before it in the explicit transaction that it belongs to; -1 outside of one.
/// </param>
/// <param name="Transaction">That transaction, as far as it has come; null outside of one.</param>
internal readonly record struct PostgresMessage(
    bool FromClient, char Kind, ReadOnlyMemory<byte> Bytes, int Place, PostgresTransaction? Transaction)
{
    /// <summary>The kind of a start-up packet (or a request to cancel).</summary>
    public const char Startup = '\0';

    /// <summary>Whether it is a simple query with this text.</summary>
    public bool IsQuery(string text) => FromClient && Kind == 'Q' && Text.StartsWith(text, StringComparison.Ordinal);

    /// <summary>Whether it is the server's word that this command is done: <c>BEGIN</c>, <c>COPY</c>, <c>COMMIT</c>, …</summary>
    public bool IsComplete(string command) => !FromClient && Kind == 'C' && Text.StartsWith(command, StringComparison.Ordinal);

    /// <summary>Whether it says that the server is ready and in no transaction.</summary>
    public bool IsIdle => !FromClient && Kind == 'Z' && Bytes.Span[^1] == (byte)'I';

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span[Math.Min(5, Bytes.Length)..]);

    /// <summary>Reads the next one; null at the end of the stream.</summary>
    public static async Task<(char Kind, byte[] Bytes)?> ReadAsync(Stream stream, bool isFirst)
    {
        var head = new byte[isFirst ? 4 : 5];
        if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false) < head.Length) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(head.Length - 4));
        var bytes = new byte[head.Length - 4 + length];
        head.CopyTo(bytes, 0);
        await stream.ReadExactlyAsync(bytes.AsMemory(head.Length));
        return (isFirst ? Startup : (char)head[0], bytes);
    }
}

/// <summary>An explicit transaction that passes through a proxy.</summary>
internal sealed class PostgresTransaction
{
    /// <summary>
    /// Whether it is the store writer's: it begins with the checkpoint. Not known before that statement, and so not with BEGIN.
    /// </summary>
    public bool IsStoreWriters { get; private set; }

    /// <summary>Whether the server has said that it is committed.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>Notes one of its messages.</summary>
    public void Add(PostgresMessage message)
    {
        IsStoreWriters |= message is { FromClient: true, Kind: 'P' } && message.Text.Contains("UPDATE shards", StringComparison.Ordinal);
        IsCommitted |= message.IsComplete("COMMIT");
    }
}

/// <summary>What a <see cref="PostgresProxy"/> does when a message comes.</summary>
internal enum ProxyAction
{
    /// <summary>Passes it on.</summary>
    Pass,

    /// <summary>Cuts the connection on both sides instead: the other side never sees the message.</summary>
    CutBefore,

    /// <summary>Passes it on and then cuts the connection on both sides.</summary>
    CutAfter,

    /// <summary>Passes nothing more in either direction; both connections stay open.</summary>
    Freeze,
}
