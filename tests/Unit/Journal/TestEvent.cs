using System.IO.Hashing;
using System.Text;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>An event's parts as values that can be compared, next to the memories that the journal works on.</summary>
internal sealed record TestEvent(
    EventId Id, int OrganizationNo, string Type, string DedupId, string OrderingKey, string Payload, TraceParent Trace = default)
{
    /// <summary>An event whose payload has that many bytes and is different for every number.</summary>
    public static TestEvent Numbered(int number, EventId id, int payloadBytes = 200) => new(
        id,
        7,
        "order.created",
        $"d-{number}",
        number % 3 == 0 ? "" : "customer-1",
        $"{{\"number\":{number},\"filler\":\"".PadRight(Math.Max(payloadBytes, 40), 'x') + "\"}");

    /// <summary>A copy of what was read.</summary>
    public static TestEvent Of(in JournaledEvent item) => new(
        item.Id,
        item.OrganizationNo,
        Encoding.UTF8.GetString(item.Type.Span),
        Encoding.UTF8.GetString(item.DedupId.Span),
        Encoding.UTF8.GetString(item.OrderingKey.Span),
        Encoding.UTF8.GetString(item.Payload.Span),
        item.TraceParent);

    /// <summary>The event as the journal takes it.</summary>
    public JournaledEvent ToJournaled()
    {
        var payload = Encoding.UTF8.GetBytes(Payload);
        return new JournaledEvent
        {
            OrganizationNo = OrganizationNo,
            Id = Id,
            PayloadHash = XxHash3.HashToUInt64(payload),
            Type = Encoding.UTF8.GetBytes(Type),
            DedupId = Encoding.UTF8.GetBytes(DedupId),
            OrderingKey = Encoding.UTF8.GetBytes(OrderingKey),
            Payload = payload,
            TraceParent = Trace,
        };
    }
}
