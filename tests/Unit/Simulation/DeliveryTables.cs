using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// What the simulated store knows of deliveries: cursors, retries, attempts and outcomes, by the words of <see cref="IDeliveryStore"/>.
/// </summary>
internal sealed class DeliveryTables
{
    private Dictionary<Guid, EventId> _cursors = [];
    private Dictionary<(Guid, EventId), RetryState> _retries = [];
    private Dictionary<(Guid, EventId), OutcomeState> _outcomes = [];
    private HashSet<(Guid, EventId, int)> _attempts = [];

    /// <summary>How deliveries have ended.</summary>
    public IReadOnlyDictionary<(Guid Endpoint, EventId Event), EventStatus> Outcomes =>
        _outcomes.ToDictionary(static pair => pair.Key, static pair => pair.Value.Status);

    /// <summary>A cursor that passed an event which nothing stands for; null = there was none.</summary>
    public string? Violation { get; private set; }

    public EventId CursorOf(Guid endpoint) => _cursors.GetValueOrDefault(endpoint);

    /// <summary>Whether a try of at least that number was recorded: one that died under way counts without a record.</summary>
    public bool WasTried(Guid endpoint, EventId id, int attempt) =>
        _attempts.Any(tried => tried.Item1 == endpoint && tried.Item2 == id && tried.Item3 >= attempt);

    public bool IsKnown(Guid endpoint, EventId id) => _outcomes.ContainsKey((endpoint, id)) || _retries.ContainsKey((endpoint, id));

    public DateTimeOffset? NextRetry() => _retries.Count == 0 ? null : _retries.Values.Min(static row => row.DueAt);

    public List<ClaimedRetry> Claim(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms, Func<EventId, DueEvent> eventOf)
    {
        var claimed = new List<ClaimedRetry>();
        foreach (var room in rooms)
        {
            var due = _retries.Where(pair => pair.Key.Item1 == room.EndpointId && pair.Value.DueAt <= now)
                .OrderBy(static pair => pair.Value.DueAt);
            foreach (var (key, row) in due.Take(Math.Min(room.Count, limit - claimed.Count)).ToList())
            {
                _retries[key] = row with { Attempts = row.Attempts + 1, IsClaimed = true, DueAt = leaseUntil };
                claimed.Add(new ClaimedRetry(
                    room.OrganizationNo, room.EndpointId, eventOf(key.Item2), row.Attempts + 1, row.Base, IsReplay: row.Owed > 0));
            }
        }

        return claimed;
    }

    /// <summary>Whether recording it would make a dead letter.</summary>
    public bool WouldDie(DeliveryResult result) => PlanOf(result).MakesDeadLetter;

    /// <summary>Records; returns whether something is due at once because it was asked for by hand.</summary>
    public bool Record(DeliveryBatch batch, IReadOnlyList<StoredRow> events)
    {
        var isDueNow = false;
        foreach (var result in batch.Results) isDueNow |= Record(result);
        foreach (var (organizationNo, endpoint, cursor, _) in batch.Cursors)
        {
            var before = CursorOf(endpoint);
            if (cursor <= before) continue;
            foreach (var row in events)
            {
                if (row.OrganizationNo == organizationNo && row.Id > before && row.Id <= cursor && !IsKnown(endpoint, row.Id))
                    Violation ??= $"a lane's cursor passed {row.Id}, which was neither delivered nor is to be tried again";
            }

            _cursors[endpoint] = cursor;
        }

        return isDueNow;
    }

    /// <summary>Asks for one more send by hand, of an event that has come to its end there or waits for a retry.</summary>
    public void Replay(Guid endpoint, EventId id, DateTimeOffset now)
    {
        var key = (endpoint, id);
        if (_retries.TryGetValue(key, out var row))
        {
            _retries[key] = row with
            {
                Owed = row.Owed + 1,
                Base = row.Attempts,
                DueAt = row.IsClaimed || row.DueAt < now ? row.DueAt : now,
            };
            return;
        }

        var tries = _attempts.Where(tried => tried.Item1 == endpoint && tried.Item2 == id).Select(static tried => tried.Item3)
            .DefaultIfEmpty().Max();
        _retries[key] = new RetryState(tries, tries, Owed: 1, IsClaimed: false, now);
        if (_outcomes.TryGetValue(key, out var outcome) && outcome.Status == EventStatus.DeadLetter) _outcomes.Remove(key);
    }

    /// <summary>Whether a send that was asked for by hand is not done.</summary>
    public bool Owes => _retries.Values.Any(static row => row.Owed > 0);

    public DeliveryTables Copy() => new()
    {
        _cursors = new(_cursors),
        _retries = new(_retries),
        _attempts = [.. _attempts],
        _outcomes = new(_outcomes),
        Violation = Violation,
    };

    private bool Record(DeliveryResult result)
    {
        var key = (result.EndpointId, result.EventId);
        var plan = PlanOf(result);
        if (plan.Try != TryPlace.Nowhere) _attempts.Add((result.EndpointId, result.EventId, result.Attempt!.Number));
        if (plan.Try == TryPlace.Outcome) _outcomes[key] = new OutcomeState(plan.OutcomeStatus, result.Number);
        if (plan.Retry is not null) _retries[key] = plan.Retry;
        if (plan.DropsRetry) _retries.Remove(key);
        return plan.IsDueNow;
    }

    private DeliveryPlan PlanOf(DeliveryResult result)
    {
        var key = (result.EndpointId, result.EventId);
        var state = new DeliveryState(_retries.GetValueOrDefault(key), _outcomes.GetValueOrDefault(key), IsAcknowledged: false);
        return DeliveryPlan.Decide(result, state, result.Attempt!.At);
    }
}
