using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace ZapierTriggers.Bench.Operations;

/// <summary>A client on a connection in memory, one request at a time, for one thread; it allocates nothing for a request.</summary>
internal sealed class MemoryClient
{
    private readonly IDuplexPipe _connection;
    private readonly ManualResetEventSlim _woken = new();
    private readonly Action _wake;
    private byte[] _answer = new byte[64 * 1024];
    private int _filled;

    /// <summary>Takes a connection over.</summary>
    public MemoryClient(IDuplexPipe connection)
    {
        _connection = connection;
        _wake = _woken.Set;
    }

    /// <summary>Sends a request and waits for its whole answer; returns its status and length.</summary>
    public (int Status, int Length) Send(ReadOnlySpan<byte> request)
    {
        _connection.Output.Write(request);
        Wait(_connection.Output.FlushAsync());
        for (_filled = 0; ;)
        {
            var result = Wait(_connection.Input.ReadAsync());
            Take(result.Buffer);
            _connection.Input.AdvanceTo(result.Buffer.End);
            if (TryParse(out var status)) return (status, _filled);
            if (result.IsCompleted) throw new InvalidOperationException("The server closed the connection.");
        }
    }

    /// <summary>Sends a call of the administrator; returns the answer's body.</summary>
    public JsonElement Call(string method, string path, string token, string body)
    {
        var (status, _) = Send(Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {token}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        var answer = _answer.AsSpan(0, _filled);
        var json = answer[(answer.IndexOf("\r\n\r\n"u8) + 4)..];
        if (status is not (200 or 201)) throw new InvalidOperationException($"{method} {path}: {status} {Encoding.UTF8.GetString(json)}");
        return JsonSerializer.Deserialize<JsonElement>(json);
    }

    // GetResult gives the pipe's value source back without a task.
    private T Wait<T>(ValueTask<T> pending)
    {
        var awaiter = pending.GetAwaiter();
        if (!awaiter.IsCompleted)
        {
            awaiter.UnsafeOnCompleted(_wake);
            _woken.Wait();
            _woken.Reset();
        }

        return awaiter.GetResult();
    }

    private void Take(ReadOnlySequence<byte> bytes)
    {
        while (_filled + bytes.Length > _answer.Length) Array.Resize(ref _answer, _answer.Length * 2);
        bytes.CopyTo(_answer.AsSpan(_filled));
        _filled += (int)bytes.Length;
    }

    private bool TryParse(out int status)
    {
        status = 0;
        var answer = _answer.AsSpan(0, _filled);
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0) return false;
        Utf8Parser.TryParse(answer["HTTP/1.1 ".Length..], out status, out _);
        var at = answer[..head].IndexOf("Content-Length: "u8);
        if (at < 0) return answer.EndsWith("0\r\n\r\n"u8); // In chunks.
        Utf8Parser.TryParse(answer[(at + "Content-Length: ".Length)..], out int length, out _);
        return _filled >= head + 4 + length;
    }
}
