namespace ZapierTriggers.Core.Storing;

/// <summary>Settings under <c>Retention</c>: for how many days each tier's events are kept; 0 = for ever.</summary>
internal sealed record RetentionOptions
{
    /// <summary>Days of the tier <c>free</c>.</summary>
    public int FreeDays { get; init; } = 7;

    /// <summary>Days of the tier <c>pro</c>.</summary>
    public int ProDays { get; init; } = 30;

    /// <summary>Days of the tier <c>business</c>.</summary>
    public int BusinessDays { get; init; } = 90;

    /// <summary>Days of the tier <c>enterprise</c>.</summary>
    public int EnterpriseDays { get; init; } = 90;

    /// <summary>
    /// The id before which a tier's events have expired; null = none ever does, also for a tier that this version does not know.
    /// </summary>
    public EventId? CutoffOf(string tier, DateTimeOffset now)
    {
        var days = tier switch
        {
            "free" => FreeDays,
            "pro" => ProDays,
            "business" => BusinessDays,
            "enterprise" => EnterpriseDays,
            _ => 0,
        };
        return days == 0 ? null : EventId.LowerBound(now - TimeSpan.FromDays(days));
    }
}
