using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>
/// A small HTTP proxy: CONNECT and the absolute form, one request a connection. It resolves every name to this machine and notes the head
/// of each request.
/// </summary>
internal sealed class SmallProxy : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly RawServer _server;

    public SmallProxy() => _server = new RawServer(ServeAsync);

    /// <summary>What a request must have as <c>user:password</c>; null = nothing.</summary>
    public string? Asks { get; set; }

    /// <summary>The heads of all requests.</summary>
    public IReadOnlyCollection<string> Heads => _heads;

    public int Connections => _server.Connections;

    public int Port => _server.Port;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Socket client, int number, CancellationToken cancel)
    {
        await using var stream = new NetworkStream(client);
        while (await ReadHeadAsync(stream, cancel) is { } head)
        {
            _heads.Enqueue(head);
            var expected = Asks is null ? "" : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes(Asks))}\r\n";
            if (head.Contains(expected, StringComparison.Ordinal))
            {
                await PassAsync(stream, head, cancel);
                return;
            }

            await ReadBodyAsync(stream, head, cancel);
            await WriteAsync(
                stream, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n",
                cancel);
        }
    }

    /// <summary>Joins the client to the target.</summary>
    private static async Task PassAsync(NetworkStream client, string head, CancellationToken cancel)
    {
        var words = head.Split(' ');
        var isTunnel = words[0] == "CONNECT";
        var target = new Uri(isTunnel ? $"https://{words[1]}" : words[1]);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, target.Port, cancel);
        }
        catch (SocketException)
        {
            await WriteAsync(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", cancel);
            return;
        }

        await using var upstream = new NetworkStream(socket);
        if (isTunnel) await WriteAsync(client, "HTTP/1.1 200 OK\r\n\r\n", cancel);
        else await WriteAsync(upstream, head.Replace(words[1], target.PathAndQuery, StringComparison.Ordinal), cancel);
        await Task.WhenAny(CopyAsync(client, upstream, cancel), CopyAsync(upstream, client, cancel));
    }

    private static async Task CopyAsync(NetworkStream from, NetworkStream to, CancellationToken cancel)
    {
        try
        {
            await from.CopyToAsync(to, cancel);
        }
        catch (IOException)
        {
            // One of them went away.
        }
    }

    private static async Task<string?> ReadHeadAsync(NetworkStream stream, CancellationToken cancel)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one, cancel) > 0)
        {
            head.Append((char)one[0]);
            if (one[0] == '\n' && head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) return head.ToString();
        }

        return null;
    }

    private static async Task ReadBodyAsync(NetworkStream stream, string head, CancellationToken cancel)
    {
        const string Name = "Content-Length: ";
        if (head.IndexOf(Name, StringComparison.Ordinal) is not (var start and > 0)) return;
        var end = head.IndexOf('\r', start);
        await stream.ReadExactlyAsync(
            new byte[int.Parse(head.AsSpan((start + Name.Length)..end), System.Globalization.CultureInfo.InvariantCulture)], cancel);
    }

    private static Task WriteAsync(NetworkStream stream, string text, CancellationToken cancel) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes(text), cancel).AsTask();
}
