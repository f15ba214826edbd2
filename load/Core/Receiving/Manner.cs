namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>How a <see cref="FastReceiver"/> treats webhooks.</summary>
internal enum Manner
{
    /// <summary>200, at once.</summary>
    Answers,

    /// <summary>Takes them and says nothing.</summary>
    Hangs,

    /// <summary>500, at once.</summary>
    Fails,
}
