using System.Text;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Integration.Accounts;

namespace ZapierTriggers.Tests.Integration.Inbox;

/// <summary>Stored events for tests.</summary>
internal static class Samples
{
    /// <summary>An id that nobody has, but that could be one.</summary>
    public const string UnknownId = "01956ae0-0000-7000-8000-000000000000";

    private static readonly DateTimeOffset Start = new(2025, 3, 1, 10, 0, 0, TimeSpan.Zero);

    /// <summary>Puts an event of the organization behind the others; its time is its place in line in milliseconds.</summary>
    public static EventId AddEvent(
        this ApiHost host, Organization organization, string payload =
            "{}", string type = "user.created", EventStatus status = EventStatus.Pending, params Delivery[] deliveries)
    {
        var at = Start.AddMilliseconds(host.Events.Events.Count + 1);
        var id = new EventId(((ulong)at.ToUnixTimeMilliseconds() << 16) | 0x7000, 0x8000_0000_0000_0000);
        var stored = new StoredEvent { Id = id, Type = type, Payload = Encoding.UTF8.GetBytes(payload), Status = status, UpdatedAt = at };
        host.Events.Events.Add((organization.No, new EventDetail(stored, deliveries)));
        return id;
    }
}
