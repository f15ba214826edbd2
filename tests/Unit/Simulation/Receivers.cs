using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>The webhook receivers: one for each of two organizations. They note what comes and answer as they like.</summary>
internal sealed class Receivers(Random random, DateTimeOffset begin)
{
    /// <summary>Few and soon, so that dead letters come within a run.</summary>
    public static readonly DeliveryOptions Options = new()
    {
        RetrySchedule = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3)],
        Timeout = TimeSpan.FromSeconds(5),
        MaxInFlight = 4,
        MaxInFlightPerEndpoint = 2,
    };

    private static readonly string Secret = WebhookSecret.Generate();

    private readonly HashSet<(Guid Endpoint, EventId Event, ulong PayloadHash, TraceParent Trace)> _received = [];

    /// <summary>The endpoints at their stored cursors.</summary>
    public IReadOnlyList<EndpointRecord> Endpoints(DeliveryTables tables) => [.. Enumerable.Range(1, 2).Select(no => Endpoint(no, tables))];

    /// <summary>One try, as <see cref="WebhookSender.SendAsync"/> makes it.</summary>
    public async Task<TryResult> ReceiveAsync(Life life, WebhookTarget target, DueEvent due)
    {
        await life.TravelAsync();
        life.Effect(
            "receive", "webhook", () => _received.Add((target.Endpoint.Id, due.Id, BitConverter.ToUInt64(due.Payload), due.TraceParent)));
        var fails = random.Next(4) == 0;
        await life.TravelAsync();
        return new TryResult
        {
            Error = fails ? DeliveryError.BadStatus : DeliveryError.None,
            Status = fails ? 500 : 200,
            At = life.Time.GetUtcNow(),
            Latency = TimeSpan.Zero,
        };
    }

    /// <summary>Whether somebody asks now for one more send of what has just been recorded.</summary>
    public bool AsksAgain() => random.Next(8) == 0;

    /// <summary>Whether every stored event that has an endpoint has come to its end there, and nothing asked for is left to send.</summary>
    public bool AreDone(SimulatedStore store) =>
        !store.Deliveries.Owes && Due(store).All(due => store.Deliveries.Outcomes.ContainsKey((due.Endpoint, due.Row.Id)));

    /// <summary>No webhook is forgotten: each was sent as it is, and ended by success or after all its tries.</summary>
    public string? Check(SimulatedStore store)
    {
        foreach (var (endpoint, row) in Due(store))
        {
            if (!_received.Contains((endpoint, row.Id, row.PayloadHash, row.Trace))) return $"{row} was never sent to its endpoint";
            var tries = Options.RetrySchedule.Count + 1;
            if (store.Deliveries.Outcomes[(endpoint, row.Id)] == EventStatus.DeadLetter
                && !store.Deliveries.WasTried(endpoint, row.Id, tries))
                return $"{row} is a dead letter before its {tries} tries";
        }

        return store.Deliveries.Violation;
    }

    private static Guid IdOf(int organizationNo) => new(organizationNo, 0, 0, new byte[8]);

    private static IEnumerable<(Guid Endpoint, StoredRow Row)> Due(SimulatedStore store) =>
        store.Events.Where(static row => row.OrganizationNo is 1 or 2).Select(static row => (IdOf(row.OrganizationNo), row));

    private EndpointRecord Endpoint(int organizationNo, DeliveryTables tables) => new()
    {
        Id = IdOf(organizationNo),
        OrganizationNo = organizationNo,
        IsDefault = true,
        Url = "https://receiver.example/",
        Secret = Secret,
        Enabled = true,
        DeliveredThrough = tables.CursorOf(IdOf(organizationNo)),
        CreatedAt = begin,
        UpdatedAt = begin,
    };
}
