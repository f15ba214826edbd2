using System.Net;
using Microsoft.Security.AntiSSRF;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class AddressGuardTests
{
    private static readonly AddressGuard Strict = new(new DeliveryOptions());
    private static readonly AddressGuard Private = new(new DeliveryOptions { AllowPrivateNetworks = true });

    public static TheoryData<string> Blocked => new(
        "0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:ffff::1", "2001:db8::1", "2002::1", "2002:7f00:1::", "fc00::1",
        "fdff::1", "fe80::1",
        "fe80::1%1", "febf::1", "fec0::1", "feff::1", "ff02::1");

    public static TheoryData<string> Open => new(
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "203.0.112.255",
        "203.0.114.0", "223.255.255.255", "168.63.129.15", "168.63.129.17", "::ffff:8.8.8.8", "2606:4700::1111", "2001:4860::8888",
        "2001:1::1",
        "2003::1", "64:ff9a::1", "100:0:0:1::1", "fbff::1", "fe00::1");

    [Theory]
    [MemberData(nameof(Blocked))]
    public void Special_addresses_are_blocked(string address) => Assert.True(Strict.IsBlocked(IPAddress.Parse(address)));

    [Theory]
    [MemberData(nameof(Open))]
    public void Their_neighbours_are_not(string address) => Assert.False(Strict.IsBlocked(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("169.254.169.254", true)]
    [InlineData("::ffff:169.254.169.254", true)]
    [InlineData("168.63.129.16", true)]
    [InlineData("fe80::1", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("::", true)]
    [InlineData("224.0.0.1", true)]
    [InlineData("64:ff9b::10.0.0.1", true)]
    [InlineData("::10.0.0.1", true)]
    [InlineData("2002:a00:1::", true)]
    public void Private_networks_can_be_lifted_and_nothing_else(string address, bool blocked) =>
        Assert.Equal(blocked, Private.IsBlocked(IPAddress.Parse(address)));

    [Fact]
    public void A_named_network_is_lifted_whatever_it_is()
    {
        var guard = new AddressGuard(
            new DeliveryOptions { AllowedNetworks = [IPNetwork.Parse("169.254.169.254/32"), IPNetwork.Parse("fe80::/64")] });

        Assert.False(guard.IsBlocked(IPAddress.Parse("169.254.169.254")));
        Assert.False(guard.IsBlocked(IPAddress.Parse("::ffff:169.254.169.254")));
        Assert.False(guard.IsBlocked(IPAddress.Parse("fe80::5")));
        Assert.True(guard.IsBlocked(IPAddress.Parse("169.254.169.253")));
        Assert.True(guard.IsBlocked(IPAddress.Parse("10.0.0.1")));
    }

    /// <summary>Blocked there and open here: anycast services and unallocated blocks that lead nowhere special.</summary>
    private static readonly string[] OnlyTheirs =
    [
        "100:0:0:1::/64", "192.175.48.0/24", "192.31.196.0/24", "192.52.193.0/24", "2001::/23", "2620:4f:8000::/48", "3fff::/20",
        "5f00::/16",
    ];

    [Fact]
    public void It_blocks_what_the_reference_library_blocks_but_for_listed_differences()
    {
        var theirs = new AntiSSRFPolicy(PolicyConfigOptions.ExternalOnlyLatest).DeniedAddresses.Select(IPNetwork.Parse).ToList();

        var open = theirs.Where(
            network => !Strict.IsBlocked(network.BaseAddress) || !Strict.IsBlocked(Last(network))).Select(network => network.ToString());

        Assert.True(theirs.Count > 20);
        Assert.Equal(OnlyTheirs, open.Order(StringComparer.Ordinal));
    }

    /// <summary>Blocked here and open there: the remaining forms that wrap an IPv4 address (mapped ones they unwrap, as we do).</summary>
    private static readonly string[] OnlyOurs = ["::/96", "::ffff:0:0/96", "::ffff:0:0:0/96"];

    [Fact]
    public void The_reference_library_blocks_what_it_blocks_but_for_listed_differences()
    {
        var theirs = new AntiSSRFPolicy(PolicyConfigOptions.ExternalOnlyLatest).DeniedAddresses.Select(IPNetwork.Parse).ToList();

        var open = BlockedNetworks.All.Where(
            ours => !theirs.Exists(network => network.Contains(ours.BaseAddress) && network.Contains(Last(ours))));

        Assert.Equal(OnlyOurs, open.Select(network => network.ToString()).Order(StringComparer.Ordinal));
    }

    private static IPAddress Last(IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var bit = network.PrefixLength; bit < bytes.Length * 8; bit++) bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    [Fact]
    public void Our_own_endpoint_is_recognised_by_address_and_port()
    {
        var guard = new AddressGuard(
            new DeliveryOptions { AllowPrivateNetworks = true },
            () => [new IPEndPoint(IPAddress.Loopback, 8080), new IPEndPoint(IPAddress.IPv6Any, 9090)]);

        Assert.True(guard.IsOwn(IPAddress.Loopback, 8080));
        Assert.True(guard.IsOwn(IPAddress.Parse("::ffff:127.0.0.1"), 8080));
        Assert.False(guard.IsOwn(IPAddress.Loopback, 8081));
        Assert.False(guard.IsOwn(IPAddress.Parse("127.0.0.2"), 8080));
        Assert.True(guard.IsOwn(IPAddress.Parse("127.0.0.2"), 9090));
        Assert.True(guard.IsOwn(IPAddress.IPv6Loopback, 9090));
        Assert.False(guard.IsOwn(IPAddress.Parse("8.8.8.8"), 9090));
        Assert.Equal(UrlRefusal.Blocked, guard.CheckUrl("http://127.0.0.1:8080/hook", out _));
        Assert.Equal(UrlRefusal.None, guard.CheckUrl("http://127.0.0.1:8081/hook", out _));
    }
}
