using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace ZapierTriggers.Bench.Operations;

/// <summary>Kestrel's transport without sockets: a connection is a pair of pipes, made by <see cref="Connect"/>.</summary>
internal sealed class MemoryTransport : IConnectionListenerFactory
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();
    private readonly ConcurrentBag<IDuplexPipe> _clients = [];
    private int _made;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new Listener(endpoint, _connections));

    /// <summary>A connection's end at the client: what it reads the server has written.</summary>
    public IDuplexPipe Connect()
    {
        // The client waits on a thread of its own, which the server's may wake at once.
        var toClient = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        var toServer = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var (server, client) = (new Ends(toServer.Reader, toClient.Writer), new Ends(toClient.Reader, toServer.Writer));
        var connection = new DefaultConnectionContext($"memory-{Interlocked.Increment(ref _made)}", server, client)
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 18080),
            RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 1),
        };
        _connections.Writer.TryWrite(connection);
        _clients.Add(client);
        return client;
    }

    /// <summary>Ends all connections at the client.</summary>
    public void CloseAll()
    {
        foreach (var client in _clients)
        {
            client.Output.Complete();
            client.Input.Complete();
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Listener(EndPoint endpoint, Channel<ConnectionContext> connections) : IConnectionListener
    {
        public EndPoint EndPoint => endpoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await connections.Reader.WaitToReadAsync(cancellationToken) && connections.Reader.TryRead(out var connection)
                ? connection : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            connections.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
