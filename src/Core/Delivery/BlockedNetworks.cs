using System.Net;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// The networks that webhooks are never sent to unless an option lifts them (IANA special-purpose address registries, and two clouds'
/// metadata).
/// </summary>
internal static class BlockedNetworks
{
    /// <summary>What <see cref="DeliveryOptions.AllowPrivateNetworks"/> lifts: private and shared networks, and loopback.</summary>
    public static readonly IPNetwork[] Private = Parse(
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "::1/128");

    /// <summary>All of them; an address inside an IPv4-mapped one is unwrapped first.</summary>
    public static readonly IPNetwork[] All = Parse(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
        "169.254.0.0/16", // link-local, and the metadata address of most clouds
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32", // the host agent of one cloud, at a public address
        "::/96", // unspecified, loopback, and IPv4-compatible
        "::ffff:0:0/96", "::ffff:0:0:0/96", // IPv4-mapped and IPv4-translated
        "64:ff9b::/96", "64:ff9b:1::/48", // NAT64
        "100::/64", // discard
        "2001::/32", // Teredo
        "2001:db8::/32", // documentation
        "2002::/16", // 6to4
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8");

    private static IPNetwork[] Parse(params string[] networks) => Array.ConvertAll(networks, IPNetwork.Parse);
}
