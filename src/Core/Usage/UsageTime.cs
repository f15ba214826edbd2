using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Usage;

/// <summary>UTC days and months as usage counts them.</summary>
internal static class UsageTime
{
    private static readonly int Epoch = new DateOnly(1970, 1, 1).DayNumber;

    /// <summary>A time's day, in days since 1970-01-01.</summary>
    public static int DayOf(DateTimeOffset at) => (int)(at.ToUnixTimeMilliseconds() / LedgerCount.DayMilliseconds);

    /// <summary>A date's day.</summary>
    public static int DayOf(DateOnly date) => date.DayNumber - Epoch;

    /// <summary>A day's date.</summary>
    public static DateOnly DateOf(int day) => DateOnly.FromDayNumber(day + Epoch);

    /// <summary>When the time's UTC hour began.</summary>
    public static DateTimeOffset HourOf(DateTimeOffset at)
    {
        var utc = at.UtcDateTime;
        return new DateTimeOffset(utc.Year, utc.Month, utc.Day, utc.Hour, 0, 0, TimeSpan.Zero);
    }

    /// <summary>When the time's UTC month began.</summary>
    public static DateTimeOffset MonthOf(DateTimeOffset at)
    {
        var utc = at.UtcDateTime;
        return new DateTimeOffset(utc.Year, utc.Month, 1, 0, 0, 0, TimeSpan.Zero);
    }

    /// <summary>When the time's UTC month ends, which is when the next one begins.</summary>
    public static DateTimeOffset MonthEndOf(DateTimeOffset at) => MonthOf(at).AddMonths(1);
}
