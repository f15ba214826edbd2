using System.Globalization;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Usage;

/// <summary>The days that usage is asked for.</summary>
/// <param name="From">First day (UTC).</param>
/// <param name="To">Last day.</param>
internal readonly record struct UsageParameters(DateOnly From, DateOnly To)
{
    /// <summary>Days in one answer, at the most.</summary>
    public const int MostDays = 366;

    /// <summary>
    /// Reads <c>from</c> and <c>to</c>; by default this month up to today. With <c>to</c> alone its month up to it. Null, and the error,
    /// when they cannot be taken.
    /// </summary>
    public static UsageParameters? Read(IQueryCollection query, DateTimeOffset now, out FieldError? error)
    {
        var read = new QueryReader(query);
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var to = Date(read, "to") ?? today;
        var from = Date(read, "from") ?? new DateOnly(to.Year, to.Month, 1);
        if (from > to) read.Refuse("from", "must not be after to (which is today unless it is sent).");
        else if (to.DayNumber - from.DayNumber >= MostDays)
            read.Refuse("from", $"must be at most {MostDays} days before to, both included.");
        error = read.Error;
        return error is null ? new UsageParameters(from, to) : null;
    }

    /// <summary>First and last day as usage counts them.</summary>
    public (int From, int To) Days => (UsageTime.DayOf(From), UsageTime.DayOf(To));

    private static DateOnly? Date(QueryReader read, string name)
    {
        if (read.Text(name) is not { } text) return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            && date.Year >= 1970)
            return date;
        read.Refuse(name, "must be a date of 1970 or later, such as 2026-01-31.");
        return null;
    }
}
