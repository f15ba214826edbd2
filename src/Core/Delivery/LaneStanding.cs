namespace ZapierTriggers.Core.Delivery;

/// <summary>What a lane's tries have come to lately: which of the places it may have.</summary>
internal enum LaneStanding
{
    /// <summary>Its latest try was answered soon, and with success.</summary>
    Answers = 0,

    /// <summary>Nothing is known: no try has ended since the start, and it did not fail before.</summary>
    Unknown,

    /// <summary>Its latest try has failed.</summary>
    Fails,

    /// <summary>A try of it is slow, or its latest answer was.</summary>
    Slow,
}
