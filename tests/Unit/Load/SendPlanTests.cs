using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class SendPlanTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void A_constant_plan_sends_in_equal_gaps_without_drift()
    {
        var times = Times(SendPlan.Constant(3, TimeSpan.FromSeconds(100_000)));
        Assert.Equal(300_000, times.Count);
        Assert.All(times.Index(), item => Assert.InRange(item.Item - item.Index * Second / 3, -1, 1));
    }

    [Fact]
    public void Threads_that_share_a_rate_take_turns()
    {
        var together = Enumerable.Range(0, 4).SelectMany(i => Times(SendPlan.Constant(250, TimeSpan.FromSeconds(1), i / 4.0))).Order();
        Assert.Equal(Times(SendPlan.Constant(1000, TimeSpan.FromSeconds(1))), together);
    }

    [Fact]
    public void A_poisson_plan_has_its_rate_and_exponential_gaps()
    {
        var times = Times(SendPlan.Poisson(1000, TimeSpan.FromSeconds(100), seed: 7));
        var gaps = times.Zip(times.Skip(1), (a, b) => b - a).ToList();
        Assert.InRange(times.Count, 99_000, 101_000); // Three standard deviations: 950.
        Assert.InRange(gaps.Count(gap => gap > Second / 1000) / (double)gaps.Count, 0.35, 0.39); // 1/e = 0.368
        Assert.Equal(times, Times(SendPlan.Poisson(1000, TimeSpan.FromSeconds(100), seed: 7)));
    }

    [Fact]
    public void The_intended_time_stands_however_late_it_is_taken()
    {
        var plan = SendPlan.Constant(10, TimeSpan.FromSeconds(1));
        Assert.False(plan.TryTake(-1, out _));
        Assert.Equal(10, plan.Backlog(5 * Second));
        for (var i = 0; i < 10; i++)
        {
            Assert.True(plan.TryTake(5 * Second, out var intended));
            Assert.Equal(i * Second / 10, intended);
        }

        Assert.False(plan.TryTake(5 * Second, out _));
        Assert.Equal(0, plan.Backlog(5 * Second));
        Assert.True(plan.IsOver(0));
    }

    [Fact]
    public void A_closed_plan_is_due_until_its_end()
    {
        var plan = SendPlan.Closed(TimeSpan.FromSeconds(1));
        Assert.True(plan.TryTake(0, out var first));
        Assert.True(plan.TryTake(Second - 1, out var last));
        Assert.Equal((0, Second - 1), (first, last));
        Assert.False(plan.TryTake(Second, out _));
        Assert.True(plan.IsOver(Second));
        Assert.Equal(0, plan.Backlog(Second));
    }

    private static List<long> Times(SendPlan plan)
    {
        var times = new List<long>();
        while (plan.TryTake(long.MaxValue - 1, out var intended)) times.Add(intended);
        return times;
    }
}
