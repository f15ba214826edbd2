namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// What waits in a lane for its try: events read from the store, in order, and claimed retries; and of which events a try is under way. Not
/// safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneQueue(TimeProvider time, TimeSpan orderingWait)
{
    private readonly Queue<DueEvent> _fresh = new();
    private readonly Queue<LaneItem> _retries = new();
    private readonly KeyOrder _keys = new(time, orderingWait);
    private readonly HashSet<EventId> _busy = [];
    private readonly Dictionary<EventId, HeldClaim> _claims = [];
    private readonly HashSet<EventId> _triedMeanwhile = [];
    private readonly HashSet<EventId> _acknowledgedMeanwhile = [];
    private int _fetching;

    /// <summary>The order that events with a key are to be sent in.</summary>
    public KeyOrder Keys => _keys;

    /// <summary>Events that were not tried yet, but for those that wait for their key.</summary>
    public int Fresh => _fresh.Count;

    /// <summary>Claimed retries.</summary>
    public int Retries => _retries.Count;

    /// <summary>Whether there may be something to start.</summary>
    public bool HasNext => _fresh.Count + _retries.Count > 0 || _keys.HasReady;

    /// <summary>Claims whose tries are not recorded.</summary>
    public IReadOnlyCollection<HeldClaim> Claims => _claims.Values;

    /// <summary>Announces a read or a claim, ended by <see cref="EndFetch"/>: what is acknowledged meanwhile may come with it.</summary>
    public void BeginFetch() => _fetching++;

    /// <summary>See <see cref="BeginFetch"/>.</summary>
    public void EndFetch()
    {
        if (--_fetching == 0) _acknowledgedMeanwhile.Clear();
    }

    /// <summary>Takes events in that were read.</summary>
    public void Add(IReadOnlyList<DueEvent> events, Guid endpointId, LaneWindow window)
    {
        foreach (var due in events)
        {
            if (OperationalEvent.EndpointOf(due.Type, due.OrderingKey) == endpointId) continue; // it would be told of itself
            // What a replay overtook is not the lane's any more: its first try was the replay.
            if (_acknowledgedMeanwhile.Contains(due.Id) || _busy.Contains(due.Id) || _triedMeanwhile.Contains(due.Id)) continue;
            window.Add(due.Id);
            _fresh.Enqueue(due);
        }

        _triedMeanwhile.Clear();
    }

    /// <summary>
    /// Takes claimed retries in. One that is still in flight or unrecorded (its claim ran out meanwhile) is left alone; so is a replay of
    /// an event that waits here for its first try, which has the same number: the result of that try ends the claim.
    /// </summary>
    public void Add(IEnumerable<ClaimedRetry> claims, DateTimeOffset startBefore)
    {
        foreach (var claim in claims)
        {
            if (!claim.IsReplay && _acknowledgedMeanwhile.Contains(claim.Event.Id)) continue;
            var (no, id) = (claim.OrganizationNo, claim.Event.Id);
            _claims[id] = new HeldClaim(no, claim.EndpointId, id, claim.Attempt, IsBegun: _busy.Contains(id));
            if (claim.Attempt == 1 && _fresh.Any(due => due.Id == claim.Event.Id)) continue;
            if (_busy.Add(claim.Event.Id)) _retries.Enqueue(new LaneItem(claim.Event, claim, startBefore));
        }
    }

    /// <summary>Takes the next to start: what has waited for its key, then retries, then events in order; null when all wait.</summary>
    public LaneItem? Next(DateTimeOffset now)
    {
        if (Take(now) is not { } next) return null;
        if (next.Claim is not null && _claims.TryGetValue(next.Event.Id, out var held))
            _claims[next.Event.Id] = held with { IsBegun = true };
        return next;
    }

    private LaneItem? Take(DateTimeOffset now)
    {
        while (_keys.TryTakeReady(out var ready))
        {
            if (IsInTime(ready, now)) return ready;
            _keys.GiveBack(ready.Event);
        }

        while (_retries.TryDequeue(out var retry))
        {
            if (IsInTime(retry, now) && _keys.TryTake(retry)) return retry;
        }

        while (_fresh.TryDequeue(out var due))
        {
            _busy.Add(due.Id);
            var item = new LaneItem(due, Claim: null, default);
            if (_keys.TryTake(item)) return item;
        }

        return null;
    }

    /// <summary>A try's result is recorded: its event may be claimed again.</summary>
    public void Recorded(LaneTry ended, bool isReading)
    {
        _busy.Remove(ended.Event.Id);
        if (_claims.TryGetValue(ended.Event.Id, out var held) && held.Attempt <= ended.Attempt) _claims.Remove(ended.Event.Id);
        if (isReading && ended.Claim is not null) _triedMeanwhile.Add(ended.Event.Id);
    }

    /// <summary>Drops what has not started of the given events; replays only when <paramref name="replaysToo"/>.</summary>
    public void Drop(IReadOnlySet<EventId> ids, LaneWindow window, bool replaysToo)
    {
        if (_fetching > 0) _acknowledgedMeanwhile.UnionWith(ids);
        for (var i = _fresh.Count; i > 0; i--)
        {
            var due = _fresh.Dequeue();
            if (!ids.Contains(due.Id))
            {
                _fresh.Enqueue(due);
                continue;
            }

            window.Finish(due.Id);
            // A replay that its try was to end: the claim runs out in the store, which gives it out again.
            if (!_busy.Contains(due.Id)) _claims.Remove(due.Id);
        }

        for (var i = _retries.Count; i > 0; i--)
        {
            var retry = _retries.Dequeue();
            if ((retry.Claim!.IsReplay && !replaysToo) || !ids.Contains(retry.Event.Id)) _retries.Enqueue(retry);
            else Forget(retry.Event.Id);
        }

        _keys.Drop(ids, replaysToo, DropWaiting);

        void DropWaiting(LaneItem item)
        {
            Forget(item.Event.Id);
            if (item.Claim is null) window.Finish(item.Event.Id);
        }
    }

    /// <summary>A claim that has become too old is forgotten; the store will give it out again.</summary>
    private bool IsInTime(in LaneItem item, DateTimeOffset now)
    {
        if (item.Claim is null || now < item.StartBefore) return true;
        Forget(item.Event.Id);
        return false;
    }

    private void Forget(EventId id)
    {
        _busy.Remove(id);
        _claims.Remove(id);
    }
}
