using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Tests.Unit.Usage;

public sealed class UsageTimeTests
{
    [Theory]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("1970-01-01T23:59:59.999Z", 0)]
    [InlineData("1970-01-02T00:00:00Z", 1)]
    [InlineData("2028-02-29T12:00:00Z", 21_243)]
    public void A_times_day_is_its_dates(string text, int day)
    {
        var at = DateTimeOffset.Parse(text, null);

        Assert.Equal(day, UsageTime.DayOf(at));
        Assert.Equal(day, UsageTime.DayOf(DateOnly.FromDateTime(at.UtcDateTime)));
        Assert.Equal(DateOnly.FromDateTime(at.UtcDateTime), UsageTime.DateOf(day));
    }

    [Theory]
    [InlineData("2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")]
    [InlineData("2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    [InlineData("2026-04-01T01:00:00+02:00", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")]
    public void A_month_is_that_of_UTC(string at, string from, string to)
    {
        Assert.Equal(DateTimeOffset.Parse(from, null), UsageTime.MonthOf(DateTimeOffset.Parse(at, null)));
        Assert.Equal(DateTimeOffset.Parse(to, null), UsageTime.MonthEndOf(DateTimeOffset.Parse(at, null)));
    }
}
