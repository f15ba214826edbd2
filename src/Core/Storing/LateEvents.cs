using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// The rule by which an organization's inbox mark and appends keep out of each other's way (docs/decisions/0019): a mark moves over events
/// older than <see cref="SettledAfter"/> only, and whoever stores events older than <see cref="LateAfter"/> lowers it. What lies between is
/// for clocks that differ and for a transaction that takes its time.
/// </summary>
internal static class LateEvents
{
    /// <summary>The age from which an event that is only being stored now is late.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromMinutes(5);

    /// <summary>The age from which it is taken for granted that all older events are stored, or will be as late ones.</summary>
    public static readonly TimeSpan SettledAfter = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The first event of each organization in a batch, by number; empty when the batch's first event is not late. A batch comes from one
    /// journal, in order, so the first is the oldest.
    /// </summary>
    public static SortedDictionary<int, EventId> FirstOf(ReadOnlySpan<JournaledEvent> events, DateTimeOffset now)
    {
        if (events.IsEmpty || events[0].Id >= EventId.LowerBound(now - LateAfter)) return None;
        var first = new SortedDictionary<int, EventId>();
        foreach (ref readonly var one in events) first.TryAdd(one.OrganizationNo, one.Id);
        return first;
    }

    private static SortedDictionary<int, EventId> None { get; } = [];
}
