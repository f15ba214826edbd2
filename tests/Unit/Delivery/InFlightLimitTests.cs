using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class InFlightLimitTests
{
    [Fact]
    public void It_grows_by_success_up_to_the_most()
    {
        var limit = new InFlightLimit(64);
        Assert.Equal(InFlightLimit.Initial, limit.Value);

        for (var i = 0; i < 100; i++) limit.Succeeded(slow: false);
        Assert.Equal(64, limit.Value);

        limit.Succeeded(slow: true);
        Assert.Equal(InFlightLimit.MostWhenSlow, limit.Value);
    }

    [Fact]
    public void Failures_of_one_burst_halve_it_once()
    {
        var limit = new InFlightLimit(64);
        for (var i = 0; i < 100; i++) limit.Succeeded(slow: false);
        var epoch = limit.Epoch;

        for (var i = 0; i < 64; i++) limit.Failed(epoch);
        Assert.Equal(32, limit.Value);

        for (var i = 0; i < 20; i++) limit.Failed(limit.Epoch);
        Assert.Equal(1, limit.Value);
    }

    [Fact]
    public void A_small_maximum_holds_from_the_start() => Assert.Equal(1, new InFlightLimit(1).Value);
}
