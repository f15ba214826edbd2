namespace ZapierTriggers.Core.Usage;

/// <summary>How often organizations are told of their usage.</summary>
internal static class UsageNewsTimes
{
    /// <summary>Between two of a kind about the rate limit.</summary>
    public static readonly TimeSpan RateLimit = TimeSpan.FromHours(1);

    /// <summary>After this time another server, or the same one after a crash, may tell what one had begun to.</summary>
    public static readonly TimeSpan ClaimLasts = TimeSpan.FromMinutes(1);

    /// <summary>What was told before this time may be told again.</summary>
    public static DateTimeOffset ToldBefore(UsageNews news, DateTimeOffset now) =>
        news is UsageNews.RateLimitWarning or UsageNews.RateLimitReached ? now - RateLimit : UsageTime.MonthOf(now);
}
