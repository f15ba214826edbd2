namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Sets lanes back for events that are stored late: those of a server from which another one had taken the shard, whose lanes have gone on.
/// What has an outcome, a retry or an acknowledgement is passed over when the lane comes by again, so nothing is sent twice for it.
/// </summary>
internal static class LaneRewind
{
    /// <summary>
    /// Sets back, in the store, all lanes that have passed <paramref name="earliest"/>, but none to before its first place; returns how
    /// many may have been. Throws <see cref="Storing.StoreException"/>.
    /// </summary>
    /// <param name="store">Where the lanes are.</param>
    /// <param name="earliest">The first event that is to be stored late.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<int> RunAsync(IDeliveryStore store, EventId earliest, CancellationToken cancellationToken)
    {
        // One millisecond's other events are looked at again: harmless, and simpler than an id's predecessor.
        var place = EventId.LowerBound(earliest.AcceptedAt);
        var passed = new List<LaneCursor>();
        foreach (var endpoint in await store.LoadEndpointsAsync(cancellationToken))
        {
            var back = endpoint.FirstPlace > place ? endpoint.FirstPlace : place;
            if (back < endpoint.DeliveredThrough)
                passed.Add(new LaneCursor(endpoint.OrganizationNo, endpoint.Id, back, endpoint.LaneGeneration));
        }

        if (passed.Count > 0) await store.RewindLanesAsync(passed, cancellationToken);
        return passed.Count;
    }
}
