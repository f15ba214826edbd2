namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// A lane's claimed retries that have not started, and the ids of all that are claimed, in flight or unrecorded: none of these is taken in
/// again. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneRetries
{
    private readonly Queue<(ClaimedRetry Claim, DateTimeOffset StartBefore)> _waiting = new();
    private readonly HashSet<EventId> _busy = [];

    /// <summary>How many wait.</summary>
    public int Count => _waiting.Count;

    /// <summary>Takes a claim in; one that is busy (its former claim ran out meanwhile) is left alone.</summary>
    public void Add(ClaimedRetry claim, DateTimeOffset startBefore)
    {
        if (_busy.Add(claim.Event.Id)) _waiting.Enqueue((claim, startBefore));
    }

    /// <summary>The next one that may still start; those that could outlive their claims are dropped. Null when there is none.</summary>
    public ClaimedRetry? Take(DateTimeOffset now)
    {
        while (_waiting.TryDequeue(out var retry))
        {
            if (now < retry.StartBefore) return retry.Claim;
            _busy.Remove(retry.Claim.Event.Id);
        }

        return null;
    }

    /// <summary>The event's result is recorded.</summary>
    public void Done(EventId id) => _busy.Remove(id);

    /// <summary>Drops those of the events that wait.</summary>
    public void Drop(IReadOnlySet<EventId> ids)
    {
        for (var i = _waiting.Count; i > 0; i--)
        {
            var retry = _waiting.Dequeue();
            if (ids.Contains(retry.Claim.Event.Id)) _busy.Remove(retry.Claim.Event.Id);
            else _waiting.Enqueue(retry);
        }
    }
}
