using System.Net.Sockets;

namespace ZapierTriggers.Load.Core.Http;

/// <summary>
/// One keep-alive HTTP/1.1 connection for one thread: sends prebuilt request bytes, waits for the answer, allocates nothing per
/// request. It never repeats a request: when the server dies, the answer is <see cref="Answer.None"/> and the next call connects anew.
/// </summary>
internal sealed class HttpWire(Uri server, TimeSpan timeout) : IDisposable
{
    private readonly ReceiveBuffer _received = new();
    private Socket? _socket;

    /// <summary>The body of the last answer; valid until the next call.</summary>
    public ReadOnlySpan<byte> Body => _received.Body;

    /// <summary>Sends <paramref name="request"/> and waits for its answer, at most the timeout for each silence.</summary>
    public Answer Send(ReadOnlySpan<byte> request)
    {
        _received.Clear();
        try
        {
            _socket ??= Connect();
            for (var sent = 0; sent < request.Length;) sent += _socket.Send(request[sent..]);
            return Receive(_socket);
        }
        catch (SocketException)
        {
            // Refused, reset or silent for too long: all mean that no answer came, which is what the caller is told.
            Disconnect();
            return Answer.None;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Disconnect();

    private Answer Receive(Socket socket)
    {
        while (true)
        {
            var count = socket.Receive(_received.Free);
            switch (_received.Add(count, ended: count == 0, out var answer))
            {
                case ParseResult.Complete:
                    if (answer.Close) Disconnect();
                    return answer;
                case ParseResult.Incomplete when count > 0:
                    continue;
                default:
                    Disconnect();
                    return Answer.None;
            }
        }
    }

    private Socket Connect()
    {
        var milliseconds = (int)timeout.TotalMilliseconds;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        (socket.SendTimeout, socket.ReceiveTimeout) = (milliseconds, milliseconds);
        try
        {
            socket.Connect(server.Host, server.Port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Disconnect()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
