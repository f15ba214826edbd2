using System.Net;

namespace ZapierTriggers.Server.Http;

/// <summary>Reads the addresses that Kestrel reports.</summary>
internal static class ListenAddress
{
    /// <summary>
    /// The sockets behind <c>http://host:port</c>: a wildcard or localhost stands for both families' any or loopback address.
    /// </summary>
    public static IEnumerable<IPEndPoint> EndpointsOf(string address)
    {
        var parsed = BindingAddress.Parse(address);
        if (IPAddress.TryParse(parsed.Host.Trim('[', ']'), out var ip)) return [new IPEndPoint(ip, parsed.Port)];
        return parsed.Host == "localhost"
            ? [new IPEndPoint(IPAddress.Loopback, parsed.Port), new IPEndPoint(IPAddress.IPv6Loopback, parsed.Port)]
            : [new IPEndPoint(IPAddress.Any, parsed.Port), new IPEndPoint(IPAddress.IPv6Any, parsed.Port)];
    }
}
