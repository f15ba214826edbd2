using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>
/// Stands between the server under test and PostgreSQL on loopback, understands where messages begin and end, and does what a rule says
/// for each: pass, cut before or after it, freeze. Can also freeze or cut everything and refuse new connections. Without TLS.
/// </summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<PostgresProxyLink, Task> _links = new();
    private readonly int _target;
    private readonly Task _accepting;
    private volatile Func<PostgresMessage, ProxyAction>? _rule;
    private volatile bool _isRefusing;

    private PostgresProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens on loopback.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Starts one in front of a port on loopback.</summary>
    public static PostgresProxy Start(int target) => new(target);

    /// <summary>What is done for each message from now on; null = all pass. The rule is called from several threads.</summary>
    public void Apply(Func<PostgresMessage, ProxyAction>? rule) => _rule = rule;

    /// <summary>The rule's word on a message.</summary>
    public ProxyAction Decide(PostgresMessage message) => _rule?.Invoke(message) ?? ProxyAction.Pass;

    /// <summary>Freezes the connections that are open; new ones pass.</summary>
    public void FreezeOpen()
    {
        foreach (var (link, _) in _links) link.Freeze();
    }

    /// <summary>Cuts the connections that are open; new ones pass.</summary>
    public void CutOpen()
    {
        foreach (var (link, _) in _links) link.Cut();
    }

    /// <summary>Resets new connections from now on.</summary>
    public void RefuseNew() => _isRefusing = true;

    /// <summary>Lets everything pass again: no rule, new connections taken, frozen ones go on.</summary>
    public void PassAll()
    {
        (_rule, _isRefusing) = (null, false);
        foreach (var (link, _) in _links) link.Thaw();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        CutOpen();
        await Task.WhenAll(_links.Values);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }

            await ConnectAsync(client);
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        client.NoDelay = true;
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var link = new PostgresProxyLink(this, client, server);
        try
        {
            if (_isRefusing) throw new SocketException((int)SocketError.ConnectionRefused);
            await server.ConnectAsync(IPAddress.Loopback, _target);
        }
        catch (SocketException)
        {
            link.Cut();
            return;
        }

        _links[link] = RunAsync(link);
    }

    private async Task RunAsync(PostgresProxyLink link)
    {
        await Task.Yield();
        await link.RunAsync();
        _links.TryRemove(link, out _);
    }
}
