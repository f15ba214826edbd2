namespace ZapierTriggers.Core.Delivery;

/// <summary>One try that a lane has started.</summary>
/// <param name="Lane">Whose it is.</param>
/// <param name="Event">What to send.</param>
/// <param name="Claim">The claim of a retry or replay; null for the first try of an event in its order, which moves the cursor.</param>
/// <param name="Epoch">See <see cref="InFlightLimit.Epoch"/>.</param>
internal sealed record LaneTry(Lane Lane, DueEvent Event, ClaimedRetry? Claim, int Epoch)
{
    /// <summary>The number of the try, from 1.</summary>
    public int Attempt => Claim?.Attempt ?? 1;
}
