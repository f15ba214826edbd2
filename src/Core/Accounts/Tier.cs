namespace ZapierTriggers.Core.Accounts;

/// <summary>A tier: a name and the rate limit that comes with it.</summary>
/// <param name="Name">Canonical name, lower case.</param>
/// <param name="RateLimitPerMinute">Events in any 60 seconds.</param>
internal sealed record Tier(string Name, int RateLimitPerMinute)
{
    /// <summary>Every tier, smallest first.</summary>
    public static readonly IReadOnlyList<Tier> All =
        [new("free", 100), new("pro", 1_000), new("business", 10_000), new("enterprise", 100_000)];

    /// <summary>The names that are taken, for error texts.</summary>
    public static string Names => string.Join(", ", All.Select(tier => tier.Name));

    /// <summary>The one that is given when none is asked for.</summary>
    public static Tier Default => All[0];

    /// <summary>
    /// Finds a tier by its name or alias (<c>starter</c> = free, <c>professional</c> = pro), in any case of letters; null when there is
    /// none.
    /// </summary>
    public static Tier? Find(string name)
    {
        var canonical = name.ToLowerInvariant() switch
        {
            "starter" => "free",
            "professional" => "pro",
            var other => other,
        };
        return All.FirstOrDefault(tier => tier.Name == canonical);
    }
}
