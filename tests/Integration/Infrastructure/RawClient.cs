using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>An HTTP/1.1 client that is a bare socket: what is sent and in which pieces is the test's affair.</summary>
internal sealed class RawClient : IDisposable
{
    // An answer that has not come by then never comes: the connection is stuck.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly BufferedStream _stream;

    private RawClient(Socket socket)
    {
        _socket = socket;
        _socket.NoDelay = true;
        _stream = new BufferedStream(new NetworkStream(socket));
    }

    /// <summary>Connects.</summary>
    public static async Task<RawClient> ConnectAsync(ITestServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Address.Host, server.Address.Port);
        return new RawClient(socket);
    }

    /// <summary>A POST of an event with its exact length.</summary>
    public static byte[] Request(Tenant tenant, string body, params string[] headers) =>
        Request("POST", "/api/events", tenant.Key, Encoding.UTF8.GetBytes(body), headers);

    /// <summary>A request with its exact length.</summary>
    public static byte[] Request(string method, string path, string key, byte[] body, params string[] headers) =>
        [.. Head(method, path, key, [$"Content-Length: {body.Length}", .. headers]), .. body];

    /// <summary>The head of a POST of an event, with these headers besides key and media type.</summary>
    public static byte[] Head(Tenant tenant, params string[] headers) => Head("POST", "/api/events", tenant.Key, headers);

    /// <summary>The head of a request, with these headers besides key and media type (which is JSON unless it is among them).</summary>
    public static byte[] Head(string method, string path, string key, params string[] headers)
    {
        string[] type = headers.Any(header => header.StartsWith("Content-Type", StringComparison.Ordinal))
            ? []
            : ["Content-Type: application/json"];
        string[] lines = [$"{method} {path} HTTP/1.1", "Host: x", $"X-API-Key: {key}", .. type, .. headers];
        return Encoding.UTF8.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n");
    }

    /// <summary>One chunk of a chunked body.</summary>
    public static byte[] Chunk(byte[] bytes) =>
        [.. Encoding.ASCII.GetBytes(bytes.Length.ToString("x", CultureInfo.InvariantCulture)), .. "\r\n"u8, .. bytes, .. "\r\n"u8];

    /// <summary>Sends all of it.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    /// <summary>Sends what the server still takes; false when it has closed the connection.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await SendAsync(bytes);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Ends the sending side; answers can still be read.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes the connection with a reset.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Close();
    }

    /// <summary>Reads the next answer. Throws <see cref="EndOfStreamException"/> or <see cref="IOException"/> when there is none.</summary>
    /// <param name="toHead">Whether it answers a HEAD, and so has no body whatever its length says.</param>
    public async Task<Reply> ReadReplyAsync(bool toHead = false)
    {
        var reply = await ReadUnjudgedAsync(toHead);
        var fault = ApiContract.JudgeProblem(reply.Status, reply.Headers.GetValueOrDefault("Content-Type"), reply.Bytes);
        Assert.True(fault is null, fault);
        return reply;
    }

    private async Task<Reply> ReadUnjudgedAsync(bool toHead)
    {
        using var patience = new CancellationTokenSource(Patience);
        var status = int.Parse((await ReadLineAsync(patience.Token)).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await ReadLineAsync(patience.Token) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(line[..colon], line[(colon + 1)..].Trim());
        }

        if (toHead) return new Reply(status, headers, []);
        if (headers.ContainsKey("Transfer-Encoding")) return new Reply(status, headers, await ReadChunksAsync(patience.Token));
        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        await _stream.ReadExactlyAsync(body, patience.Token);
        return new Reply(status, headers, body);
    }

    /// <summary>Reads the next answer; null when the server closes the connection in its place.</summary>
    public async Task<Reply?> TryReadReplyAsync()
    {
        try
        {
            return await ReadReplyAsync();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether the server has nothing more to say and closes.</summary>
    public async Task<bool> IsAtEndAsync() => (await ReadRestAsync()).Length == 0;

    /// <summary>Everything up to the server's end (or reset) of the connection.</summary>
    public async Task<byte[]> ReadRestAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        using var rest = new MemoryStream();
        try
        {
            await _stream.CopyToAsync(rest, patience.Token);
        }
        catch (IOException)
        {
            // A reset is an end too.
        }

        return rest.ToArray();
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private async Task<byte[]> ReadChunksAsync(CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var chunk = new byte[int.Parse(await ReadLineAsync(cancellationToken), NumberStyles.HexNumber, CultureInfo.InvariantCulture)];
            await _stream.ReadExactlyAsync(chunk, cancellationToken);
            await ReadLineAsync(cancellationToken);
            if (chunk.Length == 0) return body.ToArray();
            body.Write(chunk);
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (true)
        {
            await _stream.ReadExactlyAsync(one, cancellationToken);
            if (one[0] == '\n') return line.ToString();
            if (one[0] != '\r') line.Append((char)one[0]);
        }
    }
}
