using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Tests.Unit.Usage;

public sealed class UsageCountersTests
{
    [Fact]
    public void What_is_counted_is_taken_once()
    {
        var counters = new UsageCounters();
        counters.Add(UsageKind.Duplicate);
        counters.Add(UsageKind.Duplicate, 4);
        Assert.Equal(5, counters.Peek(UsageKind.Duplicate));

        Assert.Equal(5, counters.Take(UsageKind.Duplicate));
        Assert.Equal(0, counters.Take(UsageKind.Duplicate));
        Assert.Equal(0, counters.Take(UsageKind.Invalid));
    }

    [Fact]
    public async Task Nothing_is_lost_between_counting_and_taking()
    {
        var counters = new UsageCounters();
        var taken = 0L;
        var counting = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50_000; i++) counters.Add(UsageKind.RateLimited);
        })));

        while (!counting.IsCompleted) taken += counters.Take(UsageKind.RateLimited);
        await counting;

        Assert.Equal(150_000, taken + counters.Take(UsageKind.RateLimited));
    }

    [Theory]
    [InlineData(100, 21, 0)]
    [InlineData(100, 20, 1)]
    [InlineData(100, 1, 1)]
    [InlineData(100, 0, 2)]
    [InlineData(3, 1, 0)]
    [InlineData(3, 0, 2)]
    [InlineData(int.MaxValue, int.MaxValue, 0)]
    public void Four_fifths_and_all_of_the_rate_limit_are_noted(int limit, int remaining, int level)
    {
        var counters = new UsageCounters();

        counters.NoteRate(new RateDecision(1, limit, remaining, 5));

        Assert.Equal(level, counters.TakeRate());
        Assert.Equal(0, counters.TakeRate());
    }

    [Fact]
    public void The_higher_level_stays_until_it_is_taken()
    {
        var counters = new UsageCounters();
        counters.NoteRate(new RateDecision(0, 10, 0, 5));
        counters.NoteRate(new RateDecision(1, 10, 2, 5));

        Assert.Equal(2, counters.TakeRate());
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        var counters = new UsageCounters();
        var quota = new QuotaCounter();
        var now = new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();

        Run();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run()
        {
            for (var i = 0; i < 1000; i++)
            {
                counters.NoteRate(new RateDecision(1, 100, i % 100, 5));
                counters.Add(UsageKind.Invalid);
                quota.TakeUpTo(1, 500, now);
                quota.Note();
            }
        }
    }
}
