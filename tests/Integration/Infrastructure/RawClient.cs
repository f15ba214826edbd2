using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>An HTTP/1.1 client that is a bare socket: what is sent and in which pieces is the test's affair.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;
    private readonly BufferedStream _stream;

    private RawClient(Socket socket)
    {
        _socket = socket;
        _socket.NoDelay = true;
        _stream = new BufferedStream(new NetworkStream(socket));
    }

    /// <summary>Connects.</summary>
    public static async Task<RawClient> ConnectAsync(ServerUnderTest server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Address.Host, server.Address.Port);
        return new RawClient(socket);
    }

    /// <summary>A POST of an event with its exact length.</summary>
    public static byte[] Request(Tenant tenant, string body, params string[] headers) =>
        [.. Head(tenant, [$"Content-Length: {Encoding.UTF8.GetByteCount(body)}", .. headers]), .. Encoding.UTF8.GetBytes(body)];

    /// <summary>The head of a POST of an event, with these headers besides key and media type.</summary>
    public static byte[] Head(Tenant tenant, params string[] headers)
    {
        string[] lines = ["POST /api/events HTTP/1.1", "Host: x", $"X-API-Key: {tenant.Key}", "Content-Type: application/json", .. headers];
        return Encoding.UTF8.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n");
    }

    /// <summary>Sends all of it.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    /// <summary>Closes the connection with a reset.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Close();
    }

    /// <summary>Reads the next answer; its body must have a length.</summary>
    public async Task<Reply> ReadReplyAsync()
    {
        var status = int.Parse((await ReadLineAsync()).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await ReadLineAsync() is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(line[..colon], line[(colon + 1)..].Trim());
        }

        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        await _stream.ReadExactlyAsync(body);
        return new Reply(status, headers, body);
    }

    /// <summary>Whether the server has nothing more to say and closes.</summary>
    public async Task<bool> IsAtEndAsync() => await _stream.ReadAsync(new byte[1]) == 0;

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (true)
        {
            await _stream.ReadExactlyAsync(one);
            if (one[0] == '\n') return line.ToString();
            if (one[0] != '\r') line.Append((char)one[0]);
        }
    }
}
