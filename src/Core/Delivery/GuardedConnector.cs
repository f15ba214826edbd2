using System.Net;
using System.Net.Sockets;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Resolves a host's name; replaced in tests only.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>
/// Opens connections for <see cref="SocketsHttpHandler.ConnectCallback"/>: resolves the name once, checks every address of the answer, and
/// connects to one of exactly these, so nothing can resolve differently between check and use. One blocked address refuses the whole
/// answer.
/// </summary>
internal sealed class GuardedConnector(AddressGuard guard, ResolveHost? resolve = null)
{
    private readonly ResolveHost _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>Connects; throws <see cref="BlockedAddressException"/> or <see cref="SocketException"/>.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.InitialRequestMessage is WebhookRequest request) request.Connected = true;
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellationToken);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        foreach (var address in addresses)
        {
            if (guard.IsBlocked(address))
                throw new BlockedAddressException($"{host} is or resolves to an address that may not be sent to ({address}).");
            if (guard.IsOwn(address, port))
                throw new BlockedAddressException($"{host} is or resolves to this server itself ({address}, port {port}).");
        }

        return await ConnectFirstAsync(addresses, port, cancellationToken);
    }

    private static async Task<Stream> ConnectFirstAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(addresses[i], port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < addresses.Length)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}

/// <summary>The address guard refused a connection.</summary>
internal sealed class BlockedAddressException(string message) : IOException(message);
