using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>
/// The delivery store's contract in memory, with a switch to take it away and a check of the cursor rule at every record.
/// </summary>
internal sealed class MemoryDeliveryStore : IDeliveryStore
{
    private readonly Lock _lock = new();
    private readonly SortedList<EventId, (int OrganizationNo, DueEvent Event)> _events = [];
    private readonly Dictionary<Guid, EndpointRecord> _endpoints = [];
    private readonly Dictionary<(Guid, EventId), RetryState> _retries = [];
    private readonly Dictionary<(Guid, EventId), OutcomeState> _outcomes = [];
    private readonly Dictionary<(Guid, EventId, int), AttemptRecord> _attempts = [];
    private readonly HashSet<EventId> _acknowledged = [];
    private readonly List<string> _violations = [];
    private readonly List<DeliveryResult> _results = [];

    /// <summary>Decides whether the named call fails; null = it does not.</summary>
    public Func<string, bool>? Fails { get; set; }

    /// <summary>Decides whether the named call is made and its reply lost; null = it is not.</summary>
    public Func<string, bool>? LosesReply { get; set; }

    public IReadOnlyList<EndpointRecord> Endpoints => Locked(() => _endpoints.Values.ToList());

    public IReadOnlyList<string> Violations => Locked(() => _violations.ToList());

    public IReadOnlyList<DeliveryResult> Results => Locked(() => _results.ToList());

    public EventStatus StatusOf(Guid endpoint, EventId id) =>
        Locked(() => _outcomes.TryGetValue((endpoint, id), out var outcome) ? outcome.Status : _retries.ContainsKey((endpoint, id)) ? EventStatus.Failed : EventStatus.Pending);

    public int Count(EventStatus status) => Locked(() => _outcomes.Values.Count(outcome => outcome.Status == status));

    public IReadOnlyList<AttemptRecord> AttemptsOf(Guid endpoint, EventId id) =>
        Locked(() => _attempts.Where(pair => pair.Key.Item1 == endpoint && pair.Key.Item2 == id).OrderBy(pair => pair.Key.Item3).Select(pair => pair.Value).ToList());

    /// <summary>Events handed to lanes so far: what they hold is at most that.</summary>
    public int HandedOut { get; private set; }

    public EndpointRecord Endpoint(Guid id) => Locked(() => _endpoints[id]);

    public void Add(int organizationNo, DueEvent due) => Locked(() => _events[due.Id] = (organizationNo, due));

    public void Acknowledge(EventId id) => Locked(() =>
    {
        foreach (var key in _retries.Where(pair => pair.Key.Item2 == id && pair.Value.Owed == 0).Select(pair => pair.Key).ToList())
            _retries.Remove(key);
        return _acknowledged.Add(id);
    });

    /// <summary>Asks for one more send by hand.</summary>
    public void Replay(Guid endpoint, EventId id, DateTimeOffset now) => Locked(() =>
    {
        var key = (endpoint, id);
        if (_retries.TryGetValue(key, out var row))
            return _retries[key] = row with
            {
                Owed = row.Owed + 1,
                Base = row.Attempts,
                DueAt = row.IsClaimed || row.DueAt < now ? row.DueAt : now,
            };
        var tries = _attempts.Keys.Where(tried => tried.Item1 == endpoint && tried.Item2 == id).Select(tried => tried.Item3)
            .DefaultIfEmpty().Max();
        if (_outcomes.GetValueOrDefault(key)?.Status == EventStatus.DeadLetter) _outcomes.Remove(key);
        return _retries[key] = new RetryState(tries, tries, Owed: 1, IsClaimed: false, now);
    });

    /// <summary>Whether a claim is out.</summary>
    public bool HasClaims => Locked(() => _retries.Values.Any(row => row.IsClaimed));

    /// <summary>The waiting retry or replay, or null.</summary>
    public RetryState? RetryOf(Guid endpoint, EventId id) => Locked(() => _retries.GetValueOrDefault((endpoint, id)));

    public Task<IReadOnlyList<EndpointRecord>> LoadEndpointsAsync(CancellationToken cancellationToken) =>
        Call<IReadOnlyList<EndpointRecord>>("load", () => _endpoints.Values.ToList());

    public Task SaveEndpointAsync(EndpointRecord endpoint, CancellationToken cancellationToken) => Call("save", () =>
    {
        if (_endpoints.TryGetValue(endpoint.Id, out var known)) endpoint = endpoint with { DeliveredThrough = known.DeliveredThrough };
        else if (endpoint.IsDefault && _endpoints.Values.Any(other => other.IsDefault && other.OrganizationNo == endpoint.OrganizationNo))
            throw new StoreException(StoreFailure.RowRefused, "A second default endpoint.");
        return _endpoints[endpoint.Id] = endpoint;
    });

    public Task SaveHealthAsync(
        int organizationNo, Guid endpointId, DateTimeOffset? failingSince, DateTimeOffset? toldAt,
        CancellationToken cancellationToken) => Call("health", () =>
    {
        if (_endpoints.TryGetValue(endpointId, out var endpoint))
            _endpoints[endpointId] = endpoint with { FailingSince = failingSince, FailingToldAt = toldAt };
        return true;
    });

    public Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since, CancellationToken cancellationToken) =>
        Call<IReadOnlyList<(string Key, EventId Id)>>("keys", () => [.. _retries.Keys.Where(key => key.Item1 == endpointId)
            .Select(key => (_events[key.Item2].Event.OrderingKey, key.Item2)).Where(key => key.OrderingKey is not null)
                .Select(key => (key.OrderingKey!, key.Item2))]);

    public Task RewindLanesAsync(IReadOnlyList<LaneCursor> places, CancellationToken cancellationToken) => Call("rewind", () =>
    {
        foreach (var (_, endpointId, place, _) in places)
        {
            var endpoint = _endpoints[endpointId];
            if (endpoint.DeliveredThrough <= place) continue;
            _endpoints[endpointId] = endpoint with { DeliveredThrough = place, LaneGeneration = endpoint.LaneGeneration + 1 };
        }

        return true;
    });

    public Task DeleteEndpointAsync(int organizationNo, Guid endpointId, DateTimeOffset at, CancellationToken cancellationToken) =>
        Call("delete", () =>
    {
        foreach (var key in _retries.Keys.Where(key => key.Item1 == endpointId).ToList()) _retries.Remove(key);
        return _endpoints.Remove(endpointId);
    });

    public Task<LanePage> ReadLaneAsync(LaneRead read, CancellationToken cancellationToken) => Call("read", () =>
    {
        var (organizationNo, endpointId, after) = (read.OrganizationNo, read.EndpointId, read.After);
        var due = new List<DueEvent>();
        var through = after;
        var bytes = 0;
        foreach (var (id, (owner, stored)) in _events)
        {
            if (id <= after || owner != organizationNo) continue;
            if (due.Count == read.Limit || (due.Count > 0 && bytes + stored.Payload.Length > read.MaxBytes)) break;
            through = id;
            if (IsFinished(endpointId, id) || !read.Patterns.Matches(stored.Type)) continue;
            due.Add(stored);
            bytes += stored.Payload.Length;
        }

        HandedOut += due.Count;
        return new LanePage(due, through);
    });

    public Task<IReadOnlyList<ClaimedRetry>> ClaimRetriesAsync(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms,
        CancellationToken cancellationToken) => Call<IReadOnlyList<ClaimedRetry>>("claim", () =>
    {
        var claimed = new List<ClaimedRetry>();
        var left = rooms.ToDictionary(room => room.EndpointId, room => room.Count);
        foreach (var (key, row) in _retries.Where(pair => pair.Value.DueAt <= now).OrderBy(pair => pair.Value.DueAt).ToList())
        {
            if (claimed.Count == limit) break;
            if (!left.TryGetValue(key.Item1, out var room) || room == 0 || !_endpoints[key.Item1].Enabled || (row.Owed == 0 && _acknowledged.Contains(key.Item2))) continue;
            left[key.Item1] = room - 1;
            _retries[key] = row with { Attempts = row.Attempts + 1, IsClaimed = true, DueAt = leaseUntil };
            claimed.Add(new ClaimedRetry(
                _endpoints[key.Item1].OrganizationNo, key.Item1, _events[key.Item2].Event, row.Attempts + 1, row.Base, row.Owed > 0));
        }

        return claimed;
    });

    public Task ReleaseRetriesAsync(IReadOnlyList<HeldClaim> claims, DateTimeOffset now, CancellationToken cancellationToken) =>
        Call("release", () =>
    {
        foreach (var claim in claims)
        {
            var key = (claim.EndpointId, claim.EventId);
            if (!_retries.TryGetValue(key, out var row) || !row.IsClaimed || row.Attempts != claim.Attempt) continue;
            _retries[key] = row with { IsClaimed = false, DueAt = now, Attempts = row.Attempts - (claim.IsBegun ? 0 : 1) };
        }

        return true;
    });

    public Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken) => Call("next", () =>
    {
        var due = _retries.Where(pair => _endpoints[pair.Key.Item1].Enabled && (pair.Value.Owed > 0 || !_acknowledged.Contains(pair.Key.Item2))).Select(pair => (DateTimeOffset?)pair.Value.DueAt);
        return due.Min();
    });

    public Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(
        IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken) =>
        Call<IReadOnlyList<DeliveryResult>>("find", () => [.. results.Where(result => PlanOf(result).MakesDeadLetter)]);

    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) => Call("record", () =>
    {
        var isDueNow = false;
        foreach (var result in batch.Results) isDueNow |= Record(result);
        foreach (var (_, endpointId, cursor, generation) in batch.Cursors)
        {
            if (!_endpoints.TryGetValue(endpointId, out var endpoint)) continue;
            if (cursor <= endpoint.DeliveredThrough || generation != endpoint.LaneGeneration) continue;
            foreach (var (id, (owner, stored)) in _events)
            {
                if (owner != endpoint.OrganizationNo || id <= endpoint.DeliveredThrough || id > cursor || IsFinished(endpointId, id))
                    continue;
                if (endpoint.Filters.At(id).Matches(stored.Type)) _violations.Add($"cursor passed {id}");
            }

            _endpoints[endpointId] = endpoint with { DeliveredThrough = cursor };
        }

        return isDueNow;
    });

    private bool Record(DeliveryResult result)
    {
        _results.Add(result);
        var key = (result.EndpointId, result.EventId);
        var plan = PlanOf(result);
        if (plan.Try != TryPlace.Nowhere && result.Attempt is { } attempt)
            _attempts.TryAdd((result.EndpointId, result.EventId, attempt.Number), attempt);
        if (plan.Try == TryPlace.Outcome) _outcomes[key] = new OutcomeState(plan.OutcomeStatus, result.Number);
        if (plan.Retry is not null) _retries[key] = plan.Retry;
        if (plan.DropsRetry) _retries.Remove(key);
        return plan.IsDueNow;
    }

    private DeliveryPlan PlanOf(DeliveryResult result)
    {
        var key = (result.EndpointId, result.EventId);
        var state = new DeliveryState(
            _retries.GetValueOrDefault(key), _outcomes.GetValueOrDefault(key), _acknowledged.Contains(result.EventId));
        return DeliveryPlan.Decide(result, state, result.Attempt?.At ?? default);
    }

    private bool IsFinished(Guid endpointId, EventId id) =>
        _acknowledged.Contains(id) || _outcomes.ContainsKey((endpointId, id)) || _retries.ContainsKey((endpointId, id));

    private Task<T> Call<T>(string name, Func<T> body)
    {
        if (Fails?.Invoke(name) == true) return Task.FromException<T>(new StoreException(StoreFailure.Unavailable, "The store is away."));
        var reply = Locked(body);
        return LosesReply?.Invoke(name) == true
            ? Task.FromException<T>(new StoreException(StoreFailure.Unavailable, "The reply was lost."))
            : Task.FromResult(reply);
    }

    private T Locked<T>(Func<T> body)
    {
        lock (_lock) return body();
    }
}
