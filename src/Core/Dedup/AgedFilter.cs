namespace ZapierTriggers.Core.Dedup;

/// <summary>A filter of keys, with when the last of them was accepted.</summary>
/// <param name="keys">The filter.</param>
internal sealed class AgedFilter(KeyFilter keys)
{
    /// <summary>The filter.</summary>
    public KeyFilter Keys { get; } = keys;

    /// <summary>When the last of its keys was accepted, or later; Unix milliseconds.</summary>
    public long NewestMs { get; set; } = long.MinValue;
}
