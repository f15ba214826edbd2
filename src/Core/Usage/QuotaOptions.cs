namespace ZapierTriggers.Core.Usage;

/// <summary>Settings under <c>Quota</c>: how many events a tier's organizations may send in a UTC month; 0 = any number.</summary>
internal sealed record QuotaOptions
{
    /// <summary>Whether there are quotas at all. Off: nothing is counted on the way of an event.</summary>
    public bool Enabled { get; init; }

    /// <summary>Of the tier <c>free</c>.</summary>
    public int Free { get; init; } = 1_000;

    /// <summary>Of the tier <c>pro</c>.</summary>
    public int Pro { get; init; } = 100_000;

    /// <summary>Of the tier <c>business</c>.</summary>
    public int Business { get; init; } = 1_000_000;

    /// <summary>Of the tier <c>enterprise</c>.</summary>
    public int Enterprise { get; init; }

    /// <summary>A tier's quota; null = none, also for a tier that this version does not know.</summary>
    public long? LimitOf(string tier)
    {
        var limit = tier switch
        {
            "free" => Free,
            "pro" => Pro,
            "business" => Business,
            "enterprise" => Enterprise,
            _ => 0,
        };
        return limit == 0 ? null : limit;
    }
}
