using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>An event that a transaction removes, as far as something of it is kept.</summary>
/// <param name="Id">Its id.</param>
/// <param name="DedupId">Its dedup id, if any.</param>
/// <param name="PayloadHash">Its payload's hash, as stored.</param>
internal readonly record struct RemovedEvent(EventId Id, string? DedupId, long PayloadHash)
{
    /// <summary>The hash of its dedup id, if it has one that still counts.</summary>
    public byte[]? HashOf(int organizationNo, EventId from) =>
        DedupId is not null && Id >= from ? ErasedDedup.Hash(organizationNo, DedupId) : null;
}
