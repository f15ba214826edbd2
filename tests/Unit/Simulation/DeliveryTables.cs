using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>What the simulated store knows of deliveries: cursors, retries, attempts and outcomes, by the words of <see cref="IDeliveryStore"/>.</summary>
internal sealed class DeliveryTables
{
    private Dictionary<Guid, EventId> _cursors = [];
    private Dictionary<(Guid, EventId), (int Attempts, DateTimeOffset DueAt)> _retries = [];
    private HashSet<(Guid, EventId, int)> _attempts = [];

    /// <summary>How deliveries have ended.</summary>
    public Dictionary<(Guid Endpoint, EventId Event), EventStatus> Outcomes { get; private set; } = [];

    /// <summary>A cursor that passed an event which nothing stands for; null = there was none.</summary>
    public string? Violation { get; private set; }

    public EventId CursorOf(Guid endpoint) => _cursors.GetValueOrDefault(endpoint);

    /// <summary>Whether a try of at least that number was recorded: one that died under way counts without a record.</summary>
    public bool WasTried(Guid endpoint, EventId id, int attempt) =>
        _attempts.Any(tried => tried.Item1 == endpoint && tried.Item2 == id && tried.Item3 >= attempt);

    public bool IsKnown(Guid endpoint, EventId id) => Outcomes.ContainsKey((endpoint, id)) || _retries.ContainsKey((endpoint, id));

    public DateTimeOffset? NextRetry() => _retries.Count == 0 ? null : _retries.Values.Min(static row => row.DueAt);

    public List<ClaimedRetry> Claim(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms, Func<EventId, DueEvent> eventOf)
    {
        var claimed = new List<ClaimedRetry>();
        foreach (var room in rooms)
        {
            var due = _retries.Where(pair => pair.Key.Item1 == room.EndpointId && pair.Value.DueAt <= now).OrderBy(static pair => pair.Value.DueAt);
            foreach (var (key, row) in due.Take(Math.Min(room.Count, limit - claimed.Count)).ToList())
            {
                _retries[key] = (row.Attempts + 1, leaseUntil);
                claimed.Add(new ClaimedRetry(room.OrganizationNo, room.EndpointId, eventOf(key.Item2), row.Attempts + 1));
            }
        }

        return claimed;
    }

    public void Record(DeliveryBatch batch, IReadOnlyList<StoredRow> events)
    {
        foreach (var result in batch.Results) Record(result);
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
    }

    public DeliveryTables Copy() => new()
    {
        _cursors = new(_cursors),
        _retries = new(_retries),
        _attempts = [.. _attempts],
        Outcomes = new(Outcomes),
        Violation = Violation,
    };

    private void Record(DeliveryResult result)
    {
        var key = (result.EndpointId, result.EventId);
        if (result.Attempt is { } attempt && !_attempts.Add((result.EndpointId, result.EventId, attempt.Number))) return;
        if (Outcomes.ContainsKey(key)) return;
        if (result.Status != EventStatus.Failed)
        {
            _retries.Remove(key);
            Outcomes[key] = result.Status;
        }
        else if (!_retries.TryGetValue(key, out var row) || result.Attempt!.Number >= row.Attempts)
        {
            _retries[key] = (result.Attempt!.Number, result.NextAttemptAt!.Value);
        }
    }
}
