using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>One webhook and when it had come whole.</summary>
/// <param name="Delivery">What it was.</param>
/// <param name="Timestamp">A <see cref="Stopwatch"/> timestamp.</param>
internal readonly record struct Arrival(Delivery Delivery, long Timestamp);

/// <summary>A webhook has come whole.</summary>
/// <param name="delivery">What it was.</param>
/// <param name="data">The bytes of its payload; empty if it was no delivery.</param>
internal delegate void WebhookTaken(in Delivery delivery, ReadOnlySpan<byte> data);

/// <summary>
/// A webhook receiver on loopback for measuring: one thread, non-blocking sockets, one wait for all of them, next to nothing per webhook.
/// It looks at every id, body hash and signature header, and computes each <see cref="VerifyEvery"/>th signature.
/// </summary>
internal sealed class FastReceiver : IDisposable
{
    /// <summary>Of so many webhooks one has its signature computed: each would cost as much as the rest of the work.</summary>
    public const int VerifyEvery = 64;

    private static readonly byte[] Answered = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
    private static readonly byte[] Failed = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
    private static readonly TimeSpan LookForStop = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly List<Arrival> _arrivals = [];
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Peer?[] _peers;
    private readonly ReadySet _ready;
    private readonly Manner _manner;
    private readonly Thread _thread;
    private volatile bool _stop;
    private int _holdSeconds;
    private long _taken;
    private int _open;
    private int _mostOpen;

    /// <summary>Starts it.</summary>
    /// <param name="manner">How it treats webhooks.</param>
    /// <param name="connections">The most connections at a time; more are closed at once.</param>
    public FastReceiver(Manner manner = Manner.Answers, int connections = 256)
    {
        _manner = manner;
        _peers = new Peer?[connections + 1]; // The first slot is the listener's.
        _ready = new ReadySet(_peers.Length);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(connections);
        _listener.Blocking = false;
        _ready.Watch(0, _listener);
        Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}/hook");
        _thread = new Thread(Run) { IsBackground = true, Name = "Fast receiver" };
        _thread.Start();
    }

    /// <summary>Where webhooks go.</summary>
    public Uri Url { get; }

    /// <summary>The secret that signatures are checked with; null (at first) asks for none.</summary>
    public string? Secret { get; set; }

    /// <summary>Told of each webhook that is answered with 200, on the receiver's thread, instead of keeping it; null keeps them.</summary>
    public WebhookTaken? OnWebhook { get; set; }

    /// <summary>Webhooks taken since the start, however they were answered.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>The most connections that were open at a time.</summary>
    public int MostOpen => Volatile.Read(ref _mostOpen);

    /// <summary>Webhooks answered with 200 since the last <see cref="TakeArrivals"/>.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _arrivals.Count;
        }
    }

    /// <summary>Answers the next webhook with 429 and this Retry-After, which makes the sender pause the endpoint.</summary>
    public void HoldNext(int seconds) => Volatile.Write(ref _holdSeconds, seconds);

    /// <summary>What was answered with 200 since the last call, in order.</summary>
    public List<Arrival> TakeArrivals()
    {
        lock (_lock)
        {
            List<Arrival> taken = [.. _arrivals];
            _arrivals.Clear();
            return taken;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _listener.Dispose();
    }

    private void Run()
    {
        while (!_stop)
        {
            foreach (var slot in _ready.Ready(_ready.Wait(LookForStop)))
            {
                if (slot == 0) AcceptAll();
                else if (!TryServe(_peers[slot]!)) Close(slot);
            }
        }

        for (var slot = 1; slot < _peers.Length; slot++) Close(slot);
    }

    private void AcceptAll()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = _listener.Accept();
            }
            catch (SocketException)
            {
                return; // Nobody waits any more.
            }

            var slot = Array.IndexOf(_peers, null, 1);
            if (slot < 0)
            {
                socket.Dispose();
                continue;
            }

            socket.Blocking = false;
            socket.NoDelay = true;
            _peers[slot] = new Peer(socket);
            _ready.Watch(slot, socket);
            Volatile.Write(ref _mostOpen, Math.Max(_mostOpen, ++_open));
        }
    }

    private void Close(int slot)
    {
        if (_peers[slot] is not { } peer) return;
        _ready.Forget(slot);
        peer.Socket.Dispose();
        _peers[slot] = null;
        _open--;
    }

    /// <summary>Takes what has come; false when the connection is of no further use.</summary>
    private bool TryServe(Peer peer)
    {
        if (peer.Filled == peer.Bytes.Length) Array.Resize(ref peer.Bytes, peer.Bytes.Length * 2);
        var count = peer.Socket.Receive(peer.Bytes.AsSpan(peer.Filled), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return true;
        if (error != SocketError.Success || count == 0) return false;
        peer.Filled += count;
        switch (WebhookMessage.TryRead(peer.Bytes.AsSpan(0, peer.Filled), out var message))
        {
            case ParseResult.Incomplete:
                return true;
            // One request at a time: bytes behind it belong to none.
            case ParseResult.Complete when message.Length == peer.Filled:
                peer.Filled = 0;
                return TryAnswer(peer.Socket, message);
            default:
                return false;
        }
    }

    private bool TryAnswer(Socket socket, WebhookMessage message)
    {
        Volatile.Write(ref _taken, _taken + 1);
        if (_manner == Manner.Hangs) return true;
        if (_manner == Manner.Fails) return TrySend(socket, Failed);
        if (Volatile.Read(ref _holdSeconds) is var seconds and > 0)
        {
            Volatile.Write(ref _holdSeconds, 0);
            return TrySend(
                socket, Encoding.ASCII.GetBytes($"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n"));
        }

        if (OnWebhook is { } taken)
        {
            taken(message.ToDelivery(IsSigned(message), status: 200), message.Data);
            return TrySend(socket, Answered);
        }

        var arrival = new Arrival(message.ToDelivery(IsSigned(message), status: 200), Stopwatch.GetTimestamp());
        lock (_lock) _arrivals.Add(arrival);
        return TrySend(socket, Answered);
    }

    private bool IsSigned(WebhookMessage message)
    {
        if (Secret is not { } secret) return true;
        if (!message.LooksSigned) return false;
        return _taken % VerifyEvery != 0
            || WebhookSignature.Verify(secret, Text(message.Id), Text(message.Timestamp), message.Body, Text(message.Signature));
    }

    // An answer is far smaller than a socket's buffer, so one that does not fit means a peer that reads nothing.
    private static bool TrySend(Socket socket, byte[] answer) => socket.Send(answer, SocketFlags.None, out _) == answer.Length;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);

    private sealed class Peer(Socket socket)
    {
        public byte[] Bytes = new byte[8192];

        public Socket Socket { get; } = socket;

        public int Filled { get; set; }
    }
}
