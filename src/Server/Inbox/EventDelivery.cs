using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using Delivery = ZapierTriggers.Core.Storing.Delivery;

namespace ZapierTriggers.Server.Inbox;

/// <summary>The endpoints of an organization as they are now.</summary>
internal delegate IReadOnlyList<EndpointRecord> EndpointsOf(int organizationNo);

/// <summary>What an event has to do with one endpoint.</summary>
/// <param name="Delivery">What was recorded, or a stand-in without tries where nothing was.</param>
/// <param name="Matched">Whether the event is for the endpoint.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record EventDelivery(Delivery Delivery, bool Matched, string Reason)
{
    /// <summary>
    /// One for each endpoint of the organization, in the order of their making, and behind them one for each that has been removed and has
    /// a record.
    /// </summary>
    public static IReadOnlyList<EventDelivery> Of(EventDetail detail, IReadOnlyList<EndpointRecord> endpoints)
    {
        var all = new List<EventDelivery>();
        foreach (var endpoint in endpoints)
        {
            var recorded = detail.Deliveries.Where(delivery => delivery.EndpointId == endpoint.Id).ToList();
            var (matched, reason) = Explain(detail.Event, endpoint, recorded.Count > 0);
            if (recorded.Count == 0) recorded.Add(Unrecorded(endpoint));
            all.AddRange(recorded.Select(delivery => new EventDelivery(delivery, matched, reason)));
        }

        var removed = detail.Deliveries.Where(delivery => endpoints.All(endpoint => endpoint.Id != delivery.EndpointId));
        all.AddRange(removed.Select(static delivery => new EventDelivery(delivery, Matched: true, "the endpoint has been removed since")));
        return all;
    }

    private static Delivery Unrecorded(EndpointRecord endpoint) =>
        new() { EndpointId = endpoint.Id, Url = endpoint.Url, Status = EventStatus.Pending, Attempts = [] };

    private static (bool Matched, string Reason) Explain(StoredEvent stored, EndpointRecord endpoint, bool isRecorded)
    {
        if (stored.Id <= endpoint.FirstPlace) return (false, "the endpoint starts after this event");
        if (OperationalEvent.EndpointOf(stored.Type, stored.OrderingKey) == endpoint.Id) return (false, "it is about this endpoint");
        if (endpoint.Filters.At(stored.Id).Find(stored.Type) is not { } pattern) return (false, "no pattern matches");
        var reason = $"type matches {pattern}";
        if (isRecorded) return (true, reason);
        if (stored.AcknowledgedAt is not null) return (true, $"{reason}; it was acknowledged before it was sent");
        return (true, endpoint.Enabled ? reason : $"{reason}; endpoint is disabled: held");
    }
}
