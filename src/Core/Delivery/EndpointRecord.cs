namespace ZapierTriggers.Core.Delivery;

/// <summary>A webhook endpoint's stored row with its lane's cursor.</summary>
internal sealed record EndpointRecord
{
    /// <summary>Public id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The organization it belongs to.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>Whether it is the one that <c>POST /api/webhook/config</c> sets; at most one per organization.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>Absolute http or https URL, at most 2,048 characters.</summary>
    public required string Url { get; init; }

    /// <summary>Signing secret: <c>whsec_</c> + base64 of 32 bytes.</summary>
    public required string Secret { get; init; }

    /// <summary>Whether events are sent; disabled holds them.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Why it was disabled, in words; null when it was not, or by hand.</summary>
    public string? DisabledReason { get; init; }

    /// <summary>When it was disabled; null while it is enabled.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Since when it fails, if it has failed for a while: kept so that a restart does not forget it.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>When its organization was told so; null = it was not.</summary>
    public DateTimeOffset? FailingToldAt { get; init; }

    /// <summary>
    /// The lane's cursor: every event up to it has an outcome, an acknowledgement or a retry row, or was accepted before the endpoint was
    /// made.
    /// </summary>
    public required EventId DeliveredThrough { get; init; }

    /// <summary>How often the lane was set back: a cursor counts for its own generation only.</summary>
    public int LaneGeneration { get; init; }

    /// <summary>
    /// The lane's first place: events with a greater id are the endpoint's. Null in rows from before there was such a column: see
    /// <see cref="FirstPlace"/>.
    /// </summary>
    public EventId? StartsAfter { get; init; }

    /// <summary>What it wants, now and before.</summary>
    public EndpointFilters Filters { get; init; } = EndpointFilters.None;

    /// <summary>Its owner's words, at most 1,000 characters; null = none.</summary>
    public string? Description { get; init; }

    /// <summary>Sent along with each delivery.</summary>
    public EqualList<EndpointHeader> Headers { get; init; } = EqualList<EndpointHeader>.Empty;

    /// <summary>Tries that start in any second, at the most: 1 to <see cref="StartRate.Most"/>; null = any.</summary>
    public int? RateLimitPerSecond { get; init; }

    /// <summary>
    /// Tries in flight at the same time, 1 to 256, never over <see cref="DeliveryOptions.MaxInFlightPerEndpoint"/>; null = that.
    /// </summary>
    public int? MaxInFlight { get; init; }

    /// <summary>A try's deadline, 1 to 30 s, never over <see cref="DeliveryOptions.Timeout"/>; null = that.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Seconds before the second, third, … try; null = <see cref="DeliveryOptions.RetrySchedule"/>.</summary>
    public EqualList<int>? RetrySchedule { get; init; }

    /// <summary>In which order events are to be sent.</summary>
    public EndpointOrdering Ordering { get; init; }

    /// <summary>What the bodies of its deliveries look like.</summary>
    public WebhookFormat Format { get; init; }

    /// <summary>The secret before the present one, which signs along until <see cref="PreviousSecretUntil"/>; null = none.</summary>
    public string? PreviousSecret { get; init; }

    /// <summary>See <see cref="PreviousSecret"/>.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>Events with a greater id are the endpoint's.</summary>
    public EventId FirstPlace => StartsAfter ?? EventId.LowerBound(CreatedAt);

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>In which order an endpoint's events are sent.</summary>
internal enum EndpointOrdering
{
    /// <summary>Many at a time, in any order.</summary>
    None = 0,

    /// <summary>One after the other among those with the same ordering key.</summary>
    Key,
}
