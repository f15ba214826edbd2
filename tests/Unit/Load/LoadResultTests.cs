using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class LoadResultTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Tallies_add_up()
    {
        var (a, b) = (new Tally(), new Tally());
        a.CountSent(0);
        a.CountAnswer(202, 10 * Millisecond);
        b.CountSent(0);
        b.CountSent(0);
        b.CountAnswer(429, 30 * Millisecond);
        b.CountUnanswered();
        var sum = LoadResult.Sum([a, b], TimeSpan.FromSeconds(2));
        Assert.Equal((3, 2, 1, 1, 1), (sum.Sent, sum.Answered, sum.Accepted, sum.Statuses[429], sum.Unanswered));
        Assert.Equal(1.0, sum.Rate);
        Assert.Equal(30, LoadResult.Milliseconds(sum.Latency, 100), tolerance: 0.1);
        Assert.Equal(10, LoadResult.Milliseconds(sum.Latency, 50), tolerance: 0.1);
    }

    [Theory]
    [InlineData(0.5, 1, false)] // Under a millisecond: harmless.
    [InlineData(2, 100, false)] // Small beside the latency.
    [InlineData(2, 10, true)]
    public void A_run_is_void_when_the_generator_lags(double lag, double latency, bool isVoid)
    {
        var tally = new Tally { Waited = Millisecond * 900 };
        tally.CountSent((long)(lag * Millisecond));
        tally.CountAnswer(202, (long)(latency * Millisecond));
        Assert.Equal(isVoid, LoadResult.Sum([tally], TimeSpan.FromSeconds(1)).VoidReason is not null);
    }

    [Fact]
    public void A_run_is_void_when_the_generator_never_waits() =>
        Assert.Contains("busy", LoadResult.Sum([new Tally { Waited = 10 * Millisecond }], TimeSpan.FromSeconds(1)).VoidReason);

    [Fact]
    public void Nothing_recorded_is_zero() => Assert.Equal(0, LoadResult.Milliseconds(new Tally().Latency, 99));

    [Theory]
    [InlineData(new[] { 3.0, 1.0, 2.0 }, 2.0, 1.0, 3.0)]
    [InlineData(new[] { 4.0, 1.0, 2.0, 3.0 }, 2.5, 1.0, 4.0)]
    [InlineData(new[] { 0.9 }, 0.9, 0.9, 0.9)]
    public void Ratios_are_summed_up_by_median_and_spread(double[] ratios, double median, double lowest, double highest) =>
        Assert.Equal(new RatioSummary(median, lowest, highest), RatioSummary.Of(ratios));

    [Fact]
    public void Ratios_are_told_with_their_spread()
    {
        Assert.Equal("0.613 (0.490 to 0.712)", new RatioSummary(0.6128, 0.49, 0.7119).Text());
        Assert.Equal("1.50 (1.00 to 2.00)", new RatioSummary(1536, 1024, 2048).Text(decimals: 2, unit: 1024));
    }
}
