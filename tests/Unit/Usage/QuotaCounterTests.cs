using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Tests.Unit.Usage;

public sealed class QuotaCounterTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_gives_exactly_what_there_is()
    {
        var counter = new QuotaCounter();

        Assert.Equal(2, counter.TakeUpTo(2, 3, Noon));
        Assert.False(counter.IsSpent(3, Noon));
        Assert.Equal(1, counter.TakeUpTo(5, 3, Noon));
        Assert.Equal(0, counter.TakeUpTo(1, 3, Noon));
        Assert.True(counter.IsSpent(3, Noon));
        Assert.Equal(3, counter.Used);
        counter.GiveBack(1, Noon);
        Assert.Equal(1, counter.TakeUpTo(1, 3, Noon));
        Assert.Equal(7, counter.TakeUpTo(7, long.MaxValue, Noon));
    }

    [Theory]
    [InlineData("2026-03-31T23:59:59.999Z", "2026-04-01T00:00:00Z")]
    [InlineData("2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z")]
    [InlineData("2028-02-29T23:59:59.999Z", "2028-03-01T00:00:00Z")]
    [InlineData("2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z")]
    public void It_begins_anew_with_the_month(string last, string first)
    {
        var (before, after) = (DateTimeOffset.Parse(last, null), DateTimeOffset.Parse(first, null));
        var counter = new QuotaCounter();
        counter.Load(3, 4, before.AddDays(-27));
        Assert.Equal(0, counter.TakeUpTo(1, 7, before));

        Assert.Equal(7, counter.TakeUpTo(8, 7, after));
        Assert.Equal(7, counter.Used);
    }

    [Fact]
    public void The_29th_of_February_is_in_its_month()
    {
        var counter = new QuotaCounter();
        Assert.Equal(1, counter.TakeUpTo(1, 1, new DateTimeOffset(2028, 2, 28, 23, 59, 59, TimeSpan.Zero)));

        Assert.Equal(0, counter.TakeUpTo(1, 1, new DateTimeOffset(2028, 2, 29, 12, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public void A_clock_that_is_set_back_stays_in_the_later_month()
    {
        var counter = new QuotaCounter();
        Assert.Equal(1, counter.TakeUpTo(1, 1, Noon));

        Assert.Equal(0, counter.TakeUpTo(1, 1, Noon.AddMonths(-1)));
    }

    [Fact]
    public void What_is_given_back_after_the_months_end_is_forgotten()
    {
        var counter = new QuotaCounter();
        counter.TakeUpTo(1, 1, Noon);
        var later = Noon.AddMonths(1);

        counter.GiveBack(1, later);

        Assert.Equal(0, counter.Used);
        Assert.Equal(1, counter.TakeUpTo(5, 1, later));
    }

    [Fact]
    public void Others_count_too_and_are_replaced_whole()
    {
        var counter = new QuotaCounter();
        var month = UsageTime.MonthOf(Noon);
        counter.TakeUpTo(2, 10, Noon);
        counter.SetOthers(7, month);
        Assert.Equal(9, counter.Used);
        counter.SetOthers(8, month);
        Assert.Equal(0, counter.TakeUpTo(1, 10, Noon));

        counter.SetOthers(100, month.AddMonths(-1));

        Assert.Equal(10, counter.Used);
    }

    [Fact]
    public async Task Many_at_once_take_exactly_the_limit()
    {
        var counter = new QuotaCounter();
        var taken = 0;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                var granted = counter.TakeUpTo(3, 20_000, Noon);
                if (i % 3 == 0 && granted > 0) counter.GiveBack(1, Noon);
                Interlocked.Add(ref taken, i % 3 == 0 && granted > 0 ? granted - 1 : granted);
            }
        })));

        Assert.Equal(counter.Used, taken);
        Assert.True(counter.Used <= 20_000);
    }

    [Fact]
    public void Each_reader_of_the_note_is_told_once()
    {
        var counter = new QuotaCounter();
        Assert.False(counter.TakeNews());
        counter.Note();
        counter.Note();

        Assert.True(counter.TakeNews());
        Assert.False(counter.TakeNews());
        Assert.True(counter.TakeRefresh());
        Assert.False(counter.TakeRefresh());
    }
}
