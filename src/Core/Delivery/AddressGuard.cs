using System.Net;
using System.Net.NetworkInformation;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Decides where webhooks may go: by URL at registration, by address at every connection (names can resolve to anything, and to something
/// else each time).
/// </summary>
internal sealed class AddressGuard
{
    /// <summary>The longest URL, in characters.</summary>
    public const int MaxUrlLength = 2048;

    private readonly bool _allowPrivate;
    private readonly IPNetwork[] _allowed;
    private readonly Func<IReadOnlyCollection<IPEndPoint>> _ownEndpoints;

    /// <summary>Creates the guard.</summary>
    /// <param name="options">What is lifted.</param>
    /// <param name="ownEndpoints">
    /// Where this server listens, asked at each connection since it is known only once the server runs; null = nowhere. Nothing lifts
    /// these.
    /// </param>
    public AddressGuard(DeliveryOptions options, Func<IReadOnlyCollection<IPEndPoint>>? ownEndpoints = null)
    {
        _allowPrivate = options.AllowPrivateNetworks;
        _allowed = [.. options.AllowedNetworks];
        _ownEndpoints = ownEndpoints ?? (static () => []);
    }

    /// <summary>Whether nothing may be sent to the address.</summary>
    public bool IsBlocked(IPAddress address)
    {
        var bare = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (Contains(_allowed, bare) || Contains(_allowed, address)) return false;
        if (_allowPrivate && Contains(BlockedNetworks.Private, bare)) return false;
        return Contains(BlockedNetworks.All, bare);
    }

    /// <summary>
    /// Whether this server itself listens at the address and port; an unspecified listening address stands for all of this machine's.
    /// </summary>
    public bool IsOwn(IPAddress address, int port)
    {
        var bare = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var own in _ownEndpoints())
        {
            if (own.Port != port) continue;
            if (own.Address.Equals(bare)) return true;
            var any = own.Address.Equals(IPAddress.Any) || own.Address.Equals(IPAddress.IPv6Any);
            if (any && (IPAddress.IsLoopback(bare) || IsUnspecified(bare) || IsLocal(bare))) return true;
        }

        return false;
    }

    /// <summary>
    /// Checks a URL for registration; on <see cref="UrlRefusal.None"/> <paramref name="uri"/> is what to send to. A name that does not
    /// resolve (yet) is fine.
    /// </summary>
    public UrlRefusal CheckUrl(string? url, out Uri? uri)
    {
        uri = null;
        if (string.IsNullOrEmpty(url)) return UrlRefusal.Empty;
        if (url.Length > MaxUrlLength) return UrlRefusal.TooLong;
        if (url.AsSpan().ContainsAnyInRange('\0', ' ') || url.Contains('\\')) return UrlRefusal.NotAUrl;
        // A path alone would be read as a file's.
        if (url[0] == '/' || !Uri.TryCreate(url, UriKind.Absolute, out var parsed)) return UrlRefusal.NotAUrl;
        if (parsed.Scheme != Uri.UriSchemeHttp && parsed.Scheme != Uri.UriSchemeHttps) return UrlRefusal.Scheme;
        if (parsed.UserInfo.Length > 0 || url.AsSpan(0, url.IndexOfAny(['/', '?', '#'], parsed.Scheme.Length + 3) is var end and > 0 ? end : url.Length).Contains('@')) return UrlRefusal.UserInfo;
        if (url.Contains('#')) return UrlRefusal.Fragment;
        if (!HasHost(parsed) || parsed.Port == 0) return UrlRefusal.NotAUrl;
        if (LiteralOf(parsed) is { } literal && (IsBlocked(literal) || IsOwn(literal, parsed.Port))) return UrlRefusal.Blocked;
        uri = parsed;
        return UrlRefusal.None;
    }

    /// <summary>
    /// The address that the URL's host stands for without asking anyone: a literal in any notation (<see cref="Uri"/> has already brought
    /// decimal, octal and hexadecimal ones to dots), a literal that only appears after normalisation or before a final dot, or
    /// <c>localhost</c> (RFC 6761, 6.3). Null for any other name.
    /// </summary>
    public static IPAddress? LiteralOf(Uri uri)
    {
        var host = uri.IdnHost.AsSpan().TrimEnd('.');
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
            return IPAddress.Loopback;
        return IPAddress.TryParse(host, out var address) ? address : null;
    }

    /// <summary>
    /// Whether there is a host that can be asked for: a name that IDNA forbids is only found out when it is brought to ASCII.
    /// </summary>
    private static bool HasHost(Uri uri)
    {
        try
        {
            return uri.IdnHost.Length > 0;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }

    private static bool Contains(IPNetwork[] networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }

    private static bool IsUnspecified(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool IsLocal(IPAddress address)
    {
        foreach (var card in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (var unicast in card.GetIPProperties().UnicastAddresses)
            {
                if (unicast.Address.Equals(address)) return true;
            }
        }

        return false;
    }
}
