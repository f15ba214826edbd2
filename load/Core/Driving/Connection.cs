using System.Net;
using System.Net.Sockets;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>One non-blocking keep-alive connection with at most one request under way.</summary>
internal sealed class Connection(EndPoint server) : IDisposable
{
    private readonly ReceiveBuffer _received = new();
    private byte[] _unsent = [];
    private int _unsentStart;
    private int _unsentEnd;

    /// <summary>The socket, or null while not connected.</summary>
    public Socket? Socket { get; private set; }

    /// <summary>The number of the request under way, or -1.</summary>
    public long Number { get; private set; } = -1;

    /// <summary>When the request under way was to be sent, and was sent; nanoseconds from the start.</summary>
    public (long Intended, long Sent) Times { get; private set; }

    /// <summary>Since when the connection has had nothing to do.</summary>
    public long IdleSince { get; set; }

    /// <summary>Whether a part of the request waits for room in the socket.</summary>
    public bool HasUnsent => _unsentStart < _unsentEnd;

    /// <summary>Connects; false if the server does not take the connection.</summary>
    public bool TryConnect()
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(server);
            socket.Blocking = false;
            Socket = socket;
            return true;
        }
        catch (SocketException)
        {
            // The server is down or restarting; the driver tries again later.
            socket.Dispose();
            return false;
        }
    }

    /// <summary>Sends a request, or as much of it as the socket takes now; the rest is kept. False if the connection is broken.</summary>
    public bool TrySend(ReadOnlySpan<byte> request, long number, long intended, long now)
    {
        Number = number;
        Times = (intended, now);
        if (!TrySend(request, out var sent)) return false;
        if (sent == request.Length) return true;

        var rest = request[sent..];
        if (_unsent.Length < rest.Length) _unsent = new byte[rest.Length];
        rest.CopyTo(_unsent);
        (_unsentStart, _unsentEnd) = (0, rest.Length);
        return true;
    }

    /// <summary>Sends more of what is kept. False if the connection is broken.</summary>
    public bool TrySendRest()
    {
        if (!TrySend(_unsent.AsSpan(_unsentStart, _unsentEnd - _unsentStart), out var sent)) return false;
        _unsentStart += sent;
        return true;
    }

    /// <summary>Reads what has come. <see cref="ParseResult.Invalid"/> if no answer can follow any more.</summary>
    public ParseResult Receive(out Answer answer)
    {
        answer = default;
        var count = Socket!.Receive(_received.Free, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return ParseResult.Incomplete;
        if (error != SocketError.Success) return ParseResult.Invalid;

        var result = _received.Add(count, ended: count == 0, out answer);
        return result == ParseResult.Incomplete && count == 0 ? ParseResult.Invalid : result;
    }

    /// <summary>The request under way is settled.</summary>
    public void Finish(long now)
    {
        Number = -1;
        IdleSince = now;
    }

    /// <summary>Closes the socket and forgets what was under way.</summary>
    public void Disconnect()
    {
        Socket?.Dispose();
        Socket = null;
        (_unsentStart, _unsentEnd) = (0, 0);
        _received.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Disconnect();

    private bool TrySend(ReadOnlySpan<byte> bytes, out int sent)
    {
        sent = Socket!.Send(bytes, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) sent = 0;
        return error is SocketError.Success or SocketError.WouldBlock;
    }
}
