namespace ZapierTriggers.Core.Delivery;

/// <summary>One try that a lane has started.</summary>
/// <param name="Lane">Whose it is.</param>
/// <param name="Event">What to send.</param>
/// <param name="Attempt">1 for the first try, which moves the cursor; more for a claimed retry.</param>
/// <param name="Epoch">See <see cref="InFlightLimit.Epoch"/>.</param>
internal sealed record LaneTry(Lane Lane, DueEvent Event, int Attempt, int Epoch);
