using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class StartRateTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Without_a_limit_there_is_no_wait()
    {
        var rate = new StartRate(new FakeTimeProvider());
        for (var i = 0; i < 10; i++) rate.Started();
        Assert.Equal(TimeSpan.Zero, rate.Wait);
    }

    [Fact]
    public void As_many_as_the_limit_start_at_once_and_the_next_a_second_after_the_first()
    {
        var time = new FakeTimeProvider();
        var rate = new StartRate(time);
        rate.SetLimit(3);
        rate.Started();
        time.Advance(TimeSpan.FromMilliseconds(400));
        rate.Started();
        Assert.Equal(TimeSpan.Zero, rate.Wait);
        rate.Started();

        Assert.Equal(TimeSpan.FromMilliseconds(600), rate.Wait);
        time.Advance(TimeSpan.FromMilliseconds(600));
        Assert.Equal(TimeSpan.Zero, rate.Wait);
        rate.Started();
        Assert.Equal(TimeSpan.FromMilliseconds(400), rate.Wait);
    }

    [Fact]
    public void A_changed_limit_counts_what_started_before()
    {
        var time = new FakeTimeProvider();
        var rate = new StartRate(time);
        rate.SetLimit(4);
        for (var i = 0; i < 3; i++) rate.Started();

        rate.SetLimit(2);
        Assert.Equal(Second, rate.Wait);
        rate.SetLimit(5);
        Assert.Equal(TimeSpan.Zero, rate.Wait);
        rate.SetLimit(null);
        Assert.Equal(TimeSpan.Zero, rate.Wait);
        rate.SetLimit(1);
        Assert.Equal(TimeSpan.Zero, rate.Wait);
    }

    [Fact]
    public void In_no_second_there_are_more_than_the_limit() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[0, 300].Array[200]).Sample((limit, steps) =>
        {
            var time = new FakeTimeProvider();
            var rate = new StartRate(time);
            rate.SetLimit(limit);
            var starts = new List<long>();
            foreach (var step in steps)
            {
                time.Advance(TimeSpan.FromMilliseconds(step));
                if (rate.Wait > TimeSpan.Zero) continue;
                rate.Started();
                starts.Add(time.GetTimestamp());
            }

            for (var i = limit; i < starts.Count; i++)
            {
                if (time.GetElapsedTime(starts[i - limit], starts[i]) < Second) return false;
            }

            return true;
        });
}
