using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>What became of a submission.</summary>
/// <param name="Kind">The decision.</param>
/// <param name="Id">The event's id, or the first one's for <see cref="ReceiptKind.Duplicate"/>.</param>
/// <param name="PayloadHash">For <see cref="ReceiptKind.Duplicate"/>: the first one's, to tell a repeat from a reused id.</param>
internal readonly record struct Receipt(ReceiptKind Kind, EventId Id, ulong PayloadHash)
{
    /// <summary>Refused: no room now.</summary>
    public static readonly Receipt QueueFull = new(ReceiptKind.QueueFull, default, 0);

    /// <summary>Refused: the journal or the store cannot take it.</summary>
    public static readonly Receipt Unavailable = new(ReceiptKind.Unavailable, default, 0);

    /// <summary>Neither kept for sure nor refused for sure.</summary>
    public static readonly Receipt Unknown = new(ReceiptKind.Unknown, default, 0);

    /// <summary>Ask the store for the dedup id, then submit again.</summary>
    public static readonly Receipt AskStore = new(ReceiptKind.AskStore, default, 0);

    /// <summary>What it counts as in the usage of who sent it, with the hash of the payload that was sent.</summary>
    public UsageKind UsageOf(ulong payloadHash) => Kind switch
    {
        ReceiptKind.Accepted => UsageKind.Accepted,
        ReceiptKind.Duplicate => PayloadHash == payloadHash ? UsageKind.Duplicate : UsageKind.Invalid,
        _ => UsageKind.Unavailable,
    };
}

/// <summary>The sequencer's decisions.</summary>
internal enum ReceiptKind
{
    /// <summary>Kept, as durable as <see cref="AckWhen"/> says.</summary>
    Accepted,

    /// <summary>
    /// The same organization sent this dedup id within 24 hours; the first one is as durable as <see cref="AckWhen"/> says.
    /// </summary>
    Duplicate,

    /// <summary>
    /// The dedup window does not reach back 24 hours for this organization, and the store has not been asked (or the window has lost
    /// entries since).
    /// </summary>
    AskStore,

    /// <summary>Refused, nothing happened: the journal is full.</summary>
    QueueFull,

    /// <summary>Refused, nothing happened: the journal or the store cannot take it, or the server is stopping.</summary>
    Unavailable,

    /// <summary>
    /// The event may or may not be kept: a flush failed or did not come in time. Sending it again with the same dedup id is safe.
    /// </summary>
    Unknown,
}
