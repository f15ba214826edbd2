using System.Net.Sockets;

namespace ZapierTriggers.Load.Core.Contest.Wire;

/// <summary>What stands at the start of the bytes received.</summary>
internal enum WireReply
{
    /// <summary>Not a whole message yet.</summary>
    Incomplete,

    /// <summary>The request under way is kept, as far as the other side promises.</summary>
    Acknowledged,

    /// <summary>The request under way was refused.</summary>
    Refused,

    /// <summary>A message that answers nothing.</summary>
    PassedOver,
}

/// <summary>
/// How to hand one event to another product over one connection and wait for its acknowledgement, one at a time: what the comparison needs
/// of a protocol, no more. One thread uses it for all its connections.
/// </summary>
internal interface IWireProtocol
{
    /// <summary>Makes a fresh connection ready for requests; blocking.</summary>
    /// <param name="socket">A connected, blocking socket.</param>
    /// <param name="connection">Its number, from 0.</param>
    /// <exception cref="IOException">The other side said something unexpected.</exception>
    void Open(Socket socket, int connection);

    /// <summary>The request of a content; valid until the next call.</summary>
    ReadOnlySpan<byte> Encode(long content, int connection);

    /// <summary>Reads the message at the start of the bytes received.</summary>
    WireReply TryRead(ReadOnlySpan<byte> received, out int consumed);
}
