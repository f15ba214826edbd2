using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>A TCP server that treats each connection as it is told: for what a real HTTP server would never do.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _connections;

    /// <summary>Starts it; <paramref name="serve"/> gets the connection's number, from 1.</summary>
    public RawServer(Func<Socket, int, CancellationToken, Task> serve)
    {
        _listener.Start();
        _accepting = AcceptAsync(serve);
    }

    public int Connections => Volatile.Read(ref _connections);

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}/";

    /// <summary>Reads one request with its body; false at the end of the connection.</summary>
    public static async Task<bool> ReadRequestAsync(Socket socket, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, cancellationToken);
            if (length == 0) return false;
            text.Append(Encoding.ASCII.GetString(buffer, 0, length));
            if (text.ToString().EndsWith("Z\"}", StringComparison.Ordinal)) return true;
        }
    }

    public static async Task SendAsync(Socket socket, string text, CancellationToken cancellationToken) =>
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, int, CancellationToken, Task> serve)
    {
        var serving = new List<Task>();
        try
        {
            while (true) serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token), serve));
        }
        catch (Exception exception) when (
            exception is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket, Func<Socket, int, CancellationToken, Task> serve)
    {
        using (socket)
        {
            try
            {
                await serve(socket, Interlocked.Increment(ref _connections), _stop.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // The other side went away, or the test is over.
            }
        }
    }
}
