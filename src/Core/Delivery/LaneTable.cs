using System.Collections.Concurrent;

namespace ZapierTriggers.Core.Delivery;

/// <summary>All lanes, by organization and in one list. Reads take no lock; changes are rare and replace whole arrays.</summary>
internal sealed class LaneTable
{
    private readonly ConcurrentDictionary<int, Lane[]> _byOrganization = new();
    private readonly HashSet<int> _held = [];
    private readonly Lock _lock = new();
    private Lane[] _all = [];

    /// <summary>All lanes.</summary>
    public IReadOnlyList<Lane> All => Volatile.Read(ref _all);

    /// <summary>The organization's lanes.</summary>
    public ReadOnlySpan<Lane> Of(int organizationNo) => _byOrganization.TryGetValue(organizationNo, out var lanes) ? lanes : [];

    /// <summary>The lane of the organization's default endpoint, or null.</summary>
    public Lane? DefaultOf(int organizationNo)
    {
        foreach (var lane in Of(organizationNo))
        {
            if (lane.Endpoint.IsDefault) return lane;
        }

        return null;
    }

    /// <summary>The lane of an organization's endpoint, or null.</summary>
    public Lane? Find(int organizationNo, Guid endpointId)
    {
        foreach (var lane in Of(organizationNo))
        {
            if (lane.Endpoint.Id == endpointId) return lane;
        }

        return null;
    }

    /// <summary>Holds the organization's lanes, those that it will get too, or releases them.</summary>
    public void Hold(int organizationNo, bool held)
    {
        lock (_lock)
        {
            if (held) _held.Add(organizationNo);
            else _held.Remove(organizationNo);
            foreach (var lane in Of(organizationNo)) lane.IsHeld = held;
        }
    }

    /// <summary>Takes a lane out.</summary>
    public void Remove(Lane lane)
    {
        lock (_lock)
        {
            var organizationNo = lane.Endpoint.OrganizationNo;
            Lane[] left = [.. Of(organizationNo).ToArray().Where(other => other != lane)];
            if (left.Length > 0) _byOrganization[organizationNo] = left;
            else _byOrganization.TryRemove(organizationNo, out _);
            Volatile.Write(ref _all, [.. _all.Where(other => other != lane)]);
        }
    }

    /// <summary>Adds a lane.</summary>
    public void Add(Lane lane) => AddRange([lane]);

    /// <summary>Adds lanes.</summary>
    public void AddRange(IReadOnlyCollection<Lane> lanes)
    {
        lock (_lock)
        {
            foreach (var group in lanes.GroupBy(static lane => lane.Endpoint.OrganizationNo))
            {
                if (_held.Contains(group.Key)) foreach (var lane in group) lane.IsHeld = true;
                Lane[] existing = _byOrganization.TryGetValue(group.Key, out var found) ? found : [];
                _byOrganization[group.Key] = [.. existing, .. group];
            }

            Volatile.Write(ref _all, [.. _all, .. lanes]);
        }
    }
}
