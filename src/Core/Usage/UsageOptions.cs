namespace ZapierTriggers.Core.Usage;

/// <summary>Settings under <c>Usage</c>.</summary>
internal sealed record UsageOptions
{
    /// <summary>Whether organizations are told at 80 % and at all of their rate limit and quota.</summary>
    public bool Warnings { get; init; } = true;
}
