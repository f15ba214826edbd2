using CsCheck;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class RetryScheduleTests
{
    private static readonly Gen<TimeSpan[]> Waits = Gen.Double[0.001, 100_000].Select(TimeSpan.FromSeconds).Array[0, 12];

    [Fact]
    public void The_default_makes_nine_tries_in_about_a_day()
    {
        var schedule = new RetrySchedule(new DeliveryOptions().RetrySchedule, () => 0.5);
        var total = TimeSpan.Zero;
        for (var attempt = 1; schedule.WaitAfter(attempt) is { } wait; attempt++) total += wait;

        Assert.Equal(9, schedule.Tries);
        Assert.InRange(total, TimeSpan.FromHours(22), TimeSpan.FromHours(26));
    }

    [Fact]
    public void Each_wait_is_within_the_jitter_of_its_place_in_the_list()
    {
        Gen.Select(Waits, Gen.Double[0, 1]).Sample((waits, random) =>
        {
            var schedule = new RetrySchedule(waits, () => random);
            for (var attempt = 1; attempt <= waits.Length; attempt++)
            {
                var part = schedule.WaitAfter(attempt)!.Value / waits[attempt - 1];
                Assert.InRange(part, 0.8 - 1e-3, 1.2 + 1e-3);
            }

            Assert.Null(schedule.WaitAfter(waits.Length + 1));
        });
    }

    [Fact]
    public void A_receivers_wish_is_never_undercut_and_never_shortens()
    {
        Gen.Select(Waits.Where(waits => waits.Length > 0), Gen.Double[0, 86_400]).Sample((waits, seconds) =>
        {
            var schedule = new RetrySchedule(waits, () => 0.5);
            var asked = TimeSpan.FromSeconds(seconds);
            Assert.Equal(TimeSpan.FromTicks(Math.Max(asked.Ticks, schedule.WaitAfter(1)!.Value.Ticks)), schedule.WaitAfter(1, asked));
        });
    }

    [Fact]
    public void The_jitter_spreads_to_both_ends()
    {
        TimeSpan[] waits = [TimeSpan.FromSeconds(100)];

        Assert.Equal(TimeSpan.FromSeconds(80), new RetrySchedule(waits, () => 0).WaitAfter(1));
        Assert.Equal(TimeSpan.FromSeconds(120), new RetrySchedule(waits, () => 1).WaitAfter(1));
    }
}
