using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>One request of a producer's and what came of it, as the producer saw it.</summary>
internal sealed record Sending(int OrganizationNo, string Type, string DedupId, string OrderingKey, ulong PayloadHash, TraceParent Trace)
{
    /// <summary>The answer; null = none came.</summary>
    public Receipt? Receipt { get; set; }

    /// <summary>Whether a power cut may have taken what the answer names: it was answered before it was flushed.</summary>
    public bool IsExcused { get; set; }

    /// <summary>Whether the answer says that the event is kept, under its own or an earlier id.</summary>
    public bool IsAnswered => Receipt is { Kind: ReceiptKind.Accepted or ReceiptKind.Duplicate };

    /// <summary>Whether the answer says that nothing happened.</summary>
    public bool IsRefused => Receipt is { Kind: ReceiptKind.QueueFull or ReceiptKind.Unavailable };
}
