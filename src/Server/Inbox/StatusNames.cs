using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Inbox;

/// <summary>Event statuses as clients see them.</summary>
internal static class StatusNames
{
    /// <summary>The name that answers use.</summary>
    public static ReadOnlySpan<byte> Of(EventStatus status) => status switch
    {
        EventStatus.Pending => "pending"u8,
        EventStatus.Delivered => "delivered"u8,
        EventStatus.Failed => "failed"u8,
        EventStatus.DeadLetter => "dead_letter"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    /// <summary>Reads a filter's value, <c>retrying</c> as an alias of <c>failed</c>; null when there is no such status.</summary>
    public static EventStatus? Parse(string text) => text switch
    {
        "pending" => EventStatus.Pending,
        "delivered" => EventStatus.Delivered,
        "failed" or "retrying" => EventStatus.Failed,
        "dead_letter" => EventStatus.DeadLetter,
        _ => null,
    };
}
