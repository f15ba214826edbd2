using System.Net.Sockets;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>One client's connection through a <see cref="PostgresProxy"/>, and the one to the server behind it.</summary>
internal sealed class PostgresProxyLink(PostgresProxy proxy, Socket client, Socket server) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _frozen;
    private PostgresTransaction? _transaction;
    private int _fromClient;
    private int _fromServer;

    /// <summary>Passes messages on until one side closes or the link is cut.</summary>
    public async Task RunAsync()
    {
        await Task.WhenAll(PumpAsync(client, server, fromClient: true), PumpAsync(server, client, fromClient: false));
        Dispose();
    }

    /// <summary>Passes nothing more on until <see cref="Thaw"/>.</summary>
    public void Freeze()
    {
        lock (_gate) _frozen ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Passes messages on again.</summary>
    public void Thaw()
    {
        lock (_gate)
        {
            _frozen?.TrySetResult();
            _frozen = null;
        }
    }

    /// <summary>Closes both connections with a reset, at once.</summary>
    public void Cut()
    {
        foreach (var socket in (Socket[])[client, server])
        {
            try
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // Closed already.
            }

            socket.Dispose();
        }

        _end.TrySetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        client.Dispose();
        server.Dispose();
        _end.TrySetResult();
    }

    private async Task PumpAsync(Socket from, Socket to, bool fromClient)
    {
        try
        {
            await using var source = new BufferedStream(new NetworkStream(from), 1 << 16);
            await using var target = new NetworkStream(to);
            for (var isFirst = fromClient; await PostgresMessage.ReadAsync(source, isFirst) is var (kind, bytes); isFirst = false)
            {
                var message = Place(fromClient, kind, bytes);
                var action = proxy.Decide(message);
                if (action == ProxyAction.Freeze) Freeze();
                await FrozenAsync();
                if (action == ProxyAction.CutBefore) break;
                await target.WriteAsync(bytes);
                if (action == ProxyAction.CutAfter) break;
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // One side has gone; the other follows.
        }

        Cut();
    }

    /// <summary>Counts the messages of an explicit transaction, from BEGIN until the server is idle again.</summary>
    private PostgresMessage Place(bool fromClient, char kind, byte[] bytes)
    {
        var message = new PostgresMessage(fromClient, kind, bytes, Place: -1, Transaction: null);
        lock (_gate)
        {
            if (message.IsQuery("BEGIN")) (_transaction, _fromClient, _fromServer) = (new PostgresTransaction(), 0, 0);
            if (_transaction is null) return message;
            _transaction.Add(message);
            message = message with { Place = fromClient ? _fromClient++ : _fromServer++, Transaction = _transaction };
            if (message.IsIdle) _transaction = null;
            return message;
        }
    }

    private Task FrozenAsync()
    {
        lock (_gate) return _frozen is null ? Task.CompletedTask : Task.WhenAny(_frozen.Task, _end.Task);
    }
}
