using System.Net.Sockets;
using System.Text;

namespace ZapierTriggers.Load.Core.Contest.Wire;

/// <summary>The blocking exchanges at the start of a connection.</summary>
internal static class Handshake
{
    private const int MostBytes = 64 << 10;

    /// <summary>Sends all of it.</summary>
    public static void Send(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
    }

    /// <summary>Receives until what has come is complete.</summary>
    /// <exception cref="IOException">The other side closed, or said more than 64 KiB.</exception>
    public static byte[] Receive(Socket socket, Func<byte[], bool> isComplete)
    {
        var (bytes, buffer) = (Array.Empty<byte>(), new byte[4096]);
        while (bytes.Length < MostBytes)
        {
            var count = socket.Receive(buffer);
            if (count == 0) break;
            bytes = [.. bytes, .. buffer.AsSpan(0, count)];
            if (isComplete(bytes)) return bytes;
        }

        throw new IOException(
            $"A connection was not made ready: '{Encoding.Latin1.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, 200)))}'.");
    }
}
