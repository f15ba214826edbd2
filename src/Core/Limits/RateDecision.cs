namespace ZapierTriggers.Core.Limits;

/// <summary>What a rate limit said, and what a client needs to know about it.</summary>
/// <param name="Granted">How many were let through; 0 = refused.</param>
/// <param name="Limit">How many in any 60 s; <see cref="int.MaxValue"/> = no limit.</param>
/// <param name="Remaining">How many more would be let through now: <c>r</c> of the RateLimit header.</param>
/// <param name="ResetSeconds">Whole seconds, rounded up, until the oldest slot leaves and there is room again: <c>t</c> of the RateLimit
/// header, and Retry-After.</param>
internal readonly record struct RateDecision(int Granted, int Limit, int Remaining, int ResetSeconds)
{
    /// <summary>Whether anything was let through.</summary>
    public bool Allowed => Granted > 0;

    /// <summary>Whether there is a limit at all; without one no header speaks of it.</summary>
    public bool HasLimit => Limit != int.MaxValue;

    /// <summary>The decision where there is no limit.</summary>
    public static RateDecision Unlimited(int granted) => new(granted, int.MaxValue, int.MaxValue, 0);
}
