namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// A lane's claimed retries and replays that have not started, and which events have a try under way or unrecorded: of one event there is
/// one try at a time. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneClaims
{
    private readonly Queue<(ClaimedRetry Claim, DateTimeOffset StartBefore)> _waiting = new();
    private readonly HashSet<EventId> _busy = [];
    private readonly HashSet<EventId> _triedMeanwhile = [];

    /// <summary>Claims that wait for their start.</summary>
    public int Count => _waiting.Count;

    /// <summary>Takes a claim in, unless a try of its event is under way or unrecorded.</summary>
    public void Add(ClaimedRetry claim, DateTimeOffset startBefore)
    {
        if (_busy.Add(claim.Event.Id)) _waiting.Enqueue((claim, startBefore));
    }

    /// <summary>The next claim to start; null when none is left that would not outlive its lease.</summary>
    public ClaimedRetry? TakeNext(DateTimeOffset now)
    {
        while (_waiting.TryDequeue(out var next))
        {
            if (now < next.StartBefore) return next.Claim;
            _busy.Remove(next.Claim.Event.Id);
        }

        return null;
    }

    /// <summary>The first try of an event starts.</summary>
    public void Began(EventId id) => _busy.Add(id);

    /// <summary>A try is recorded. What was claimed while a page was being read may be on that page all the same.</summary>
    public void Recorded(EventId id, bool wasClaimed, bool isReading)
    {
        _busy.Remove(id);
        if (isReading && wasClaimed) _triedMeanwhile.Add(id);
    }

    /// <summary>Whether a replay overtook an event that has been read: its first try was the replay.</summary>
    public bool HasOvertaken(EventId id) => _busy.Contains(id) || _triedMeanwhile.Contains(id);

    /// <summary>The page that was being read is in.</summary>
    public void EndRead() => _triedMeanwhile.Clear();

    /// <summary>Drops retries of acknowledged events; what was asked for by hand stays.</summary>
    public void Acknowledged(IReadOnlySet<EventId> ids)
    {
        for (var i = _waiting.Count; i > 0; i--)
        {
            var waiting = _waiting.Dequeue();
            if (!waiting.Claim.IsReplay && ids.Contains(waiting.Claim.Event.Id)) _busy.Remove(waiting.Claim.Event.Id);
            else _waiting.Enqueue(waiting);
        }
    }
}
