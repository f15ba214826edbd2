using System.Net;
using ZapierTriggers.Core.Limits;

namespace ZapierTriggers.Tests.Unit.Limits;

public sealed class AddressLimiterTests
{
    [Fact]
    public void Each_address_has_its_own_limit()
    {
        var limiter = new AddressLimiter(2);
        var first = IPAddress.Parse("192.0.2.1");
        Assert.True(limiter.TryTake(first, 0).Allowed);
        Assert.True(limiter.TryTake(first, 0).Allowed);
        Assert.False(limiter.TryTake(first, 0).Allowed);
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.2"), 0).Allowed);
        Assert.True(limiter.TryTake(first, 65_000).Allowed);
    }

    [Theory]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.2", false)]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    public void An_IPv6_network_of_one_customer_counts_as_one(string one, string other, bool together)
    {
        var limiter = new AddressLimiter(1);
        limiter.TryTake(IPAddress.Parse(one), 0);
        Assert.Equal(!together, limiter.TryTake(IPAddress.Parse(other), 0).Allowed);
    }

    [Fact]
    public void A_full_table_refuses_new_addresses_until_one_is_idle()
    {
        var limiter = new AddressLimiter(5, capacity: 2);
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.1"), 0).Allowed);
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.2"), 40_000).Allowed);
        var refused = limiter.TryTake(IPAddress.Parse("192.0.2.3"), 41_000);
        Assert.False(refused.Allowed);
        Assert.InRange(refused.ResetSeconds, 1, 65);
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.2"), 42_000).Allowed);
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.3"), 65_000).Allowed);
        Assert.False(limiter.TryTake(IPAddress.Parse("192.0.2.1"), 65_001).Allowed);
    }

    [Fact]
    public void Callers_without_an_address_count_together()
    {
        var limiter = new AddressLimiter(1);
        Assert.True(limiter.TryTake(null, 0).Allowed);
        Assert.False(limiter.TryTake(null, 0).Allowed);
    }
}
