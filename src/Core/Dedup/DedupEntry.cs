namespace ZapierTriggers.Core.Dedup;

/// <summary>What is remembered of the first event with a dedup id.</summary>
/// <param name="Id">Its id, which also tells when it was accepted.</param>
/// <param name="PayloadHash">Its payload's XxHash3: the same payload again is a repeat, another one a reused key.</param>
internal readonly record struct DedupEntry(EventId Id, ulong PayloadHash)
{
    /// <summary>Whether the contract's 24 h are not over: exactly while now - accepted is less than that.</summary>
    public bool IsLive(long nowMs) => nowMs - Id.UnixMilliseconds < DedupWindow.LengthMs;
}
