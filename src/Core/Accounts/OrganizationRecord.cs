namespace ZapierTriggers.Core.Accounts;

/// <summary>An organization's stored row.</summary>
internal sealed record OrganizationRecord
{
    /// <summary>Internal number, random in 1..2^31-1.</summary>
    public required int No { get; init; }

    /// <summary>Public id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Name as given, 1 to 255 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The tier's canonical name: <c>free</c>, <c>pro</c>, <c>business</c> or <c>enterprise</c>.</summary>
    public required string Tier { get; init; }

    /// <summary>Events in any 60 seconds; null = no limit.</summary>
    public required int? RateLimitPerMinute { get; init; }

    /// <summary>The 8 base62 characters that all its keys share.</summary>
    public required string Route { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When any of the above, its keys or its default webhook last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Since when its keys are refused and its webhooks wait; null = it is active.</summary>
    public DateTimeOffset? SuspendedAt { get; init; }

    /// <summary>Why, as the administrator said it; null when nothing was said or it is active.</summary>
    public string? SuspendedReason { get; init; }
}
