using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>An event that a transaction removes, as far as something of it is kept.</summary>
/// <param name="Id">Its id.</param>
/// <param name="DedupId">Its dedup id, if any.</param>
/// <param name="PayloadHash">Its payload's hash, as stored.</param>
internal readonly record struct RemovedEvent(EventId Id, string? DedupId, long PayloadHash)
{
    /// <summary>The same of an event that a journal holds.</summary>
    public static RemovedEvent Of(in JournaledEvent item) => new(
        item.Id, item.DedupId.IsEmpty ? null : Encoding.UTF8.GetString(item.DedupId.Span), unchecked((long)item.PayloadHash));

    /// <summary>The hash of its dedup id, if it has one that still counts.</summary>
    public byte[]? HashOf(int organizationNo, EventId from) =>
        DedupId is not null && Id >= from ? ErasedDedup.Hash(organizationNo, DedupId) : null;
}
