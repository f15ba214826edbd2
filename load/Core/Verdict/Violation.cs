using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>The ways in which a server can break its promise.</summary>
internal enum Violation
{
    /// <summary>A 202 named an event that is not stored.</summary>
    Lost,

    /// <summary>Two requests of the same dedup id were both answered 202.</summary>
    AcceptedTwice,

    /// <summary>A 202 named no id.</summary>
    AnswerWithoutId,

    /// <summary>An event of the ledger is stored more than once.</summary>
    StoredTwice,

    /// <summary>An event is stored under another id than its 202 named.</summary>
    WrongId,

    /// <summary>An event is stored that no request of the ledger carried.</summary>
    NeverSent,

    /// <summary>An event is stored although every request that carried it was refused.</summary>
    StoredThoughRefused,

    /// <summary>A stored payload differs from the bytes sent.</summary>
    PayloadChanged,

    /// <summary>A stored dedup id differs from the one sent.</summary>
    DedupIdChanged,

    /// <summary>The inbox listed an id that is not greater than the one before.</summary>
    OutOfOrder,

    /// <summary>A 409 named no event, or another one than is stored for its dedup id.</summary>
    DuplicateNamesOther,

    /// <summary>A stored event never reached the receiver.</summary>
    NotDelivered,

    /// <summary>The receiver got an event that is not stored.</summary>
    DeliveredUnknown,

    /// <summary>The receiver got other payload bytes than were sent, or a <c>webhook-id</c> that is not the event's id.</summary>
    DeliveredChanged,

    /// <summary>A delivery's signature did not verify.</summary>
    BadSignature,
}

/// <summary>One violation found.</summary>
/// <param name="Kind">What was broken.</param>
/// <param name="Content">The event of the ledger; -1 if none is known.</param>
/// <param name="Id">The id concerned; zero if none is known.</param>
internal readonly record struct Offender(Violation Kind, long Content, EventId Id)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind}: event {(Content >= 0 ? $"{Content}" : "unknown")}, id {Id}";
}
