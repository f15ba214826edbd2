using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>One event as the inbox lists it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Payload">The payload's exact bytes in the answer; valid until the next event is read.</param>
/// <param name="DedupId">Its dedup id, or null.</param>
/// <param name="IsOperational">Whether the server itself has told it; see <see cref="OwnEvents"/>.</param>
internal readonly record struct StoredEvent(EventId Id, ReadOnlyMemory<byte> Payload, string? DedupId, bool IsOperational = false);

/// <summary>One webhook as the receiver logged it.</summary>
/// <param name="WebhookId">The <c>webhook-id</c> header; zero if it is no event id.</param>
/// <param name="EventId">The body's <c>id</c>; zero if there is none.</param>
/// <param name="DataHash">XxHash3 of the bytes of the body's <c>data</c>.</param>
/// <param name="Signed">Whether the signature verified; true if the receiver has no secret to check it with.</param>
/// <param name="Status">What the receiver answered.</param>
internal readonly record struct Delivery(EventId WebhookId, EventId EventId, ulong DataHash, bool Signed, int Status);
