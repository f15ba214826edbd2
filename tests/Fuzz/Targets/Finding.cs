namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>What a target says when an input breaks one of its invariants.</summary>
internal sealed class Finding(string message) : Exception(message)
{
    /// <summary>Throws unless the invariant holds.</summary>
    public static void Unless(bool holds, string message)
    {
        if (!holds) throw new Finding(message);
    }
}
