using System.Collections.Concurrent;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Events that the store does not have any more, as far as memory may still hold them: no try of them starts, and no result is recorded.
/// Asked for each try: while nothing is gone that is one look.
/// </summary>
internal sealed class GoneEvents(TimeProvider time)
{
    /// <summary>Longer than any try, with its claim, lasts: what was read before is not in memory after that.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<(int OrganizationNo, EventId Id), long> _erased = new();
    private readonly ConcurrentDictionary<int, EventId> _through = new();
    private volatile bool _isEmpty = true;

    /// <summary>Whether the event is gone. Any thread.</summary>
    public bool Contains(int organizationNo, EventId id)
    {
        if (_isEmpty) return false;
        return (_through.TryGetValue(organizationNo, out var through) && id <= through) || _erased.ContainsKey((organizationNo, id));
    }

    /// <summary>These are about to be erased.</summary>
    public void Add(int organizationNo, IEnumerable<EventId> ids)
    {
        var now = time.GetTimestamp();
        foreach (var (key, at) in _erased)
        {
            if (time.GetElapsedTime(at) > KeptFor) _erased.TryRemove(key, out _);
        }

        _isEmpty = false;
        foreach (var id in ids) _erased[(organizationNo, id)] = now;
    }

    /// <summary>All of the organization's up to that one are gone.</summary>
    public void AddThrough(int organizationNo, EventId through)
    {
        _isEmpty = false;
        _through.AddOrUpdate(organizationNo, through, (_, known) => known > through ? known : through);
    }
}
