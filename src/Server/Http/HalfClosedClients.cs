using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// Lets a client shut down its sending side after its last request and still read the answers (RFC 9112, 9.6). The transport tells both
/// that end and a reset as one and the same "connection closed", upon which Kestrel drops the answers under way. Here only a connection on
/// which nothing can be sent any more counts as closed; the end of what the client sends is in the input anyway, where Kestrel finds it
/// after the last request (<see cref="HalfClosedInput"/>).
/// </summary>
internal static class HalfClosedClients
{
    /// <summary>The connection's middleware.</summary>
    public static ConnectionDelegate Serve(ConnectionDelegate next) => connection => ServeAsync(connection, next);

    private static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
        {
            await next(connection);
            return;
        }

        using var closed = new CancellationTokenSource();
        var transportClosed = connection.ConnectionClosed;
        connection.ConnectionClosed = closed.Token;
        connection.Transport = new Halves(new HalfClosedInput(connection.Transport.Input), connection.Transport.Output);
        await using var registration = transportClosed.UnsafeRegister(
            static state =>
            {
                var (socket, closed) = ((Socket, CancellationTokenSource))state!;
                if (!CanSend(socket)) closed.Cancel();
            },
            (socket, closed));
        await next(connection);
    }

    /// <summary>Sends nothing: that succeeds after the client's end, and fails after a reset and after our own end.</summary>
    private static bool CanSend(Socket socket)
    {
        try
        {
            socket.Send(ReadOnlySpan<byte>.Empty, SocketFlags.None, out var error);
            return error == SocketError.Success;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private sealed record Halves(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
