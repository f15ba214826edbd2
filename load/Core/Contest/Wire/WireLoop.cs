using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using HdrHistogram;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Load.Core.Contest.Wire;

/// <summary>
/// A closed loop over any <see cref="IWireProtocol"/>, built like <see cref="Driver"/> (one thread, non-blocking sockets, one wait for
/// all), so
/// that what is compared has generators of the same cost.
/// </summary>
internal sealed class WireLoop(IWireProtocol protocol, EndPoint server, EventSource source, RequestNumbers numbers)
{
    private const long HighestMicroseconds = 3_600_000_000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly LongHistogram _latency = new(1, HighestMicroseconds, 3);
    private ReadySet _ready = new(0);
    private long _acknowledged;
    private long _refused;

    /// <summary>Sends for so long, and waits for the answers under way.</summary>
    /// <exception cref="IOException">The other side closed a connection, or was silent for ten seconds.</exception>
    public Task<ContestRound> RunAsync(int connections, TimeSpan duration, CancellationToken stop) => Task.Factory.StartNew(
        () => Run(connections, duration, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private ContestRound Run(int connections, TimeSpan duration, CancellationToken stop)
    {
        ReadySet.UseExactTimers();
        _ready = new ReadySet(connections);
        var peers = new List<Peer>();
        try
        {
            for (var slot = 0; slot < connections; slot++) peers.Add(Connect(slot));
            var start = Stopwatch.GetTimestamp();
            Loop(peers, start, duration, stop);
            var elapsed = Stopwatch.GetElapsedTime(start);
            return new ContestRound(
                _acknowledged, _refused, elapsed, elapsed, LoadResult.Milliseconds(_latency, 50), LoadResult.Milliseconds(_latency, 99));
        }
        finally
        {
            foreach (var peer in peers) peer.Socket.Dispose();
        }
    }

    private void Loop(List<Peer> peers, long start, TimeSpan duration, CancellationToken stop)
    {
        foreach (var peer in peers) SendNext(peer);
        for (var underWay = peers.Count; underWay > 0;)
        {
            var isOver = stop.IsCancellationRequested || Stopwatch.GetElapsedTime(start) >= duration;
            if (Stopwatch.GetElapsedTime(start) > duration + Patience)
                throw new IOException("An acknowledgement did not come within ten seconds.");
            foreach (var slot in _ready.Ready(_ready.Wait(Look)))
            {
                if (!TryTake(peers[slot])) continue;
                if (isOver) underWay--;
                else SendNext(peers[slot]);
            }
        }
    }

    private Peer Connect(int slot)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var peer = new Peer(socket, slot);
        try
        {
            socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            socket.Connect(server);
            protocol.Open(socket, slot);
            socket.Blocking = false;
            _ready.Watch(slot, socket);
            return peer;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void SendNext(Peer peer)
    {
        var request = protocol.Encode(source.ContentOf(numbers.Next()), peer.Slot);
        peer.SentAt = Stopwatch.GetTimestamp();
        while (!request.IsEmpty)
        {
            // One request at a time fits the socket's buffer but for the largest; those wait for room.
            var sent = peer.Socket.Send(request, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) peer.Socket.Poll(Look, SelectMode.SelectWrite);
            else if (error != SocketError.Success) throw new IOException($"A connection broke: {error}.");
            else request = request[sent..];
        }
    }

    /// <summary>Takes what has come; true when the request under way is answered.</summary>
    private bool TryTake(Peer peer)
    {
        if (peer.Filled == peer.Bytes.Length) Array.Resize(ref peer.Bytes, peer.Bytes.Length * 2);
        var count = peer.Socket.Receive(peer.Bytes.AsSpan(peer.Filled), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return false;
        if (error != SocketError.Success || count == 0) throw new IOException($"The other side closed a connection ({error}).");
        peer.Filled += count;
        var isAnswered = false;
        while (protocol.TryRead(peer.Bytes.AsSpan(0, peer.Filled), out var consumed) is var reply and not WireReply.Incomplete)
        {
            peer.Filled -= consumed;
            peer.Bytes.AsSpan(consumed, peer.Filled).CopyTo(peer.Bytes);
            if (reply == WireReply.PassedOver) continue;
            isAnswered = true;
            if (reply == WireReply.Acknowledged) _acknowledged++;
            else _refused++;
            _latency.RecordValue(Math.Clamp((long)Stopwatch.GetElapsedTime(peer.SentAt).TotalMicroseconds, 0, HighestMicroseconds));
        }

        return isAnswered;
    }

    private sealed class Peer(Socket socket, int slot)
    {
        public byte[] Bytes = new byte[4096];

        public Socket Socket { get; } = socket;

        public int Slot { get; } = slot;

        public int Filled { get; set; }

        public long SentAt { get; set; }
    }
}
