using System.Net;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Settings under <c>Delivery</c>.</summary>
internal sealed record DeliveryOptions
{
    /// <summary>Whether webhooks are sent at all (also <c>DISABLE_WEBHOOK_DELIVERY</c>); off holds them.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Whether private and loopback addresses may be sent to. Link-local and metadata addresses stay refused.</summary>
    public bool AllowPrivateNetworks { get; init; }

    /// <summary>Networks (CIDR) that may be sent to whatever they are.</summary>
    public IReadOnlyList<IPNetwork> AllowedNetworks { get; init; } = [];

    /// <summary>
    /// The proxy that all webhooks go through; it resolves their names, so only literal addresses are still refused here. Null = none: the
    /// environment's is never used.
    /// </summary>
    public EgressProxy? Proxy { get; init; }

    /// <summary>Tries in flight at the same time, over all endpoints, not counting slow ones.</summary>
    public int MaxInFlight { get; init; } = 256;

    /// <summary>
    /// After this time a try in flight is slow: it gives its place up to others, and its endpoint takes turns with slow ones only until it
    /// answers sooner.
    /// </summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Slow tries in flight at the same time; past it they keep their places among the others.</summary>
    public int MaxSlowInFlight { get; init; } = 1024;

    /// <summary>
    /// Tries in flight at the same time to one endpoint, at the most; the actual limit grows on success and halves on failure.
    /// </summary>
    public int MaxInFlightPerEndpoint { get; init; } = 64;

    /// <summary>Webhook endpoints of one organization, at the most.</summary>
    public int MaxEndpoints { get; init; } = 50;

    /// <summary>An endpoint that has failed for so long without a success is told to its organization.</summary>
    public TimeSpan FailingAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>An endpoint that has failed for so long without a success is disabled; zero = never.</summary>
    public TimeSpan DisableAfter { get; init; } = TimeSpan.FromDays(5);

    /// <summary>
    /// With <see cref="EndpointOrdering.Key"/>: how long the events of a key wait for an earlier one that has failed, counted from its
    /// first failure.
    /// </summary>
    public TimeSpan OrderingWait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Events a second, at the most, of those that were held while an endpoint was disabled; 0 = no limit.</summary>
    public int CatchUpPerSecond { get; init; } = 100;

    /// <summary>
    /// Whether organizations are told, by events in their own inbox, of endpoints that fail and of dead letters.
    /// </summary>
    public bool OperationalEvents { get; init; } = true;

    /// <summary>One deadline over DNS, connect, TLS, send, headers and body.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Waits before the second, third, … try; when used up the event is a dead letter. The default makes 9 tries in about a day.
    /// </summary>
    public IReadOnlyList<TimeSpan> RetrySchedule { get; init; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10),
        TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(6), TimeSpan.FromHours(16),
    ];
}
