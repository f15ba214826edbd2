using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>A request as the stub read it.</summary>
internal sealed record StubRequest(string Head, byte[] Body, int Index);

/// <summary>
/// A scripted HTTP/1.1 server on loopback: for each request a script gives the bytes to answer with, in the pieces in which they are to be
/// sent, or null to close the connection without an answer.
/// </summary>
internal sealed class StubServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<StubRequest, ValueTask<byte[][]?>> _script;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _requests;

    public StubServer(Func<StubRequest, ValueTask<byte[][]?>> script, int port = 0)
    {
        _script = script;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public StubServer(Func<StubRequest, byte[]?> script)
        : this(request => ValueTask.FromResult<byte[][]?>(script(request) is { } answer ? [answer] : null))
    {
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public static byte[] Answer(int status, string body, string headers = "") =>
        Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n{headers}"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public static byte[] Accepted(string id) => Answer(202, $"{{\"id\":\"{id}\",\"event_id\":\"{id}\",\"status\":\"accepted\"}}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true) serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The listener has been stopped.
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        socket.NoDelay = true;
        try
        {
            await using var stream = new NetworkStream(socket);
            while (await ReadAsync(stream) is { } request)
            {
                if (await _script(request) is not { } pieces) return;
                foreach (var piece in pieces) await stream.WriteAsync(piece, _stop.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client has gone or the test is over.
        }
    }

    private async Task<StubRequest?> ReadAsync(Stream stream)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (!bytes.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0) return null;
            bytes.Add(one[0]);
        }

        var head = Encoding.ASCII.GetString([.. bytes]);
        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal))?[16..] ?? "0";
        var body = new byte[int.Parse(length)];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new StubRequest(head, body, Interlocked.Increment(ref _requests) - 1);
    }
}
