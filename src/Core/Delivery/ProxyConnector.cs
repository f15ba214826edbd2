using System.Net.Sockets;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Opens connections to the egress proxy, which is the operator's choice and so no matter of the address guard, and to nothing else:
/// whatever the client asks for, no receiver is connected to directly.
/// </summary>
internal sealed class ProxyConnector(EgressProxy proxy)
{
    /// <summary>Connects; throws <see cref="ProxyException"/>.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.InitialRequestMessage is WebhookRequest request) request.Connected = true;
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        if (port != proxy.Address.Port || !string.Equals(host, proxy.Address.IdnHost, StringComparison.OrdinalIgnoreCase))
            throw new BlockedAddressException($"{host} may not be connected to directly: webhooks go through the proxy {proxy}.");

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new ProxyException(
                $"The proxy {proxy} cannot be reached: {TransportErrors.Words(exception.SocketErrorCode)}.", exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A tunnel is open: the request that it was opened for goes over a connection of its own (see <see cref="WebhookRequest.Connected"/>).
    /// </summary>
    public static ValueTask<Stream> TunnelOpened(SocketsHttpPlaintextStreamFilterContext context)
    {
        if (context.InitialRequestMessage is WebhookRequest request) request.Connected = true;
        return ValueTask.FromResult(context.PlaintextStream);
    }
}

/// <summary>The egress proxy could not be reached.</summary>
internal sealed class ProxyException(string message, Exception cause) : IOException(message, cause);
