namespace ZapierTriggers.Core.Events;

/// <summary>
/// Where an event stands: <c>Pending → Delivered | Failed (will be tried again) → DeadLetter</c>. Absence of any outcome means pending.
/// </summary>
internal enum EventStatus
{
    /// <summary>Not delivered and not acknowledged yet.</summary>
    Pending = 0,

    /// <summary>A webhook was answered with 2xx, or a consumer acknowledged the event.</summary>
    Delivered = 1,

    /// <summary>At least one try failed and another is due.</summary>
    Failed = 2,

    /// <summary>No further try will be made by itself.</summary>
    DeadLetter = 3,
}
