using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// Events that are stored behind ones of another journal: what was known of the events before them, such as an organization's inbox mark
/// (docs/decisions/0019), may not hold any more. All others come behind everything that is stored.
/// </summary>
internal static class LateEvents
{
    /// <summary>
    /// The first event of each organization in a batch, by number; empty when the batch is not late. A batch comes from one journal, in
    /// order, so its first event is its oldest.
    /// </summary>
    public static SortedDictionary<int, EventId> FirstOf(in ShardClaim claim, ReadOnlySpan<JournaledEvent> events)
    {
        if (events.IsEmpty || events[0].Id > claim.HighestStored) return None;
        var first = new SortedDictionary<int, EventId>();
        foreach (ref readonly var one in events) first.TryAdd(one.OrganizationNo, one.Id);
        return first;
    }

    private static SortedDictionary<int, EventId> None { get; } = [];
}
