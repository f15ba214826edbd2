namespace ZapierTriggers.Core.Delivery;

/// <summary>Why an endpoint was not made or changed.</summary>
internal enum EndpointRefusal
{
    /// <summary>It was.</summary>
    None = 0,

    /// <summary>The organization has none with this id.</summary>
    NotFound,

    /// <summary>The organization has <see cref="DeliveryOptions.MaxEndpoints"/> already.</summary>
    TooManyEndpoints,

    /// <summary>
    /// Its filter was changed <see cref="EndpointFilters.MaxVersions"/> times while events wait, each of which is under one of these
    /// filters.
    /// </summary>
    TooManyFilters,
}

/// <summary>What came of a change.</summary>
/// <param name="Endpoint">The endpoint as it is now; null when refused.</param>
/// <param name="Refusal">Why it was refused.</param>
internal readonly record struct EndpointChange(EndpointRecord? Endpoint, EndpointRefusal Refusal)
{
    /// <summary>It was made or changed.</summary>
    public static implicit operator EndpointChange(EndpointRecord endpoint) => new(endpoint, EndpointRefusal.None);

    /// <summary>It was refused.</summary>
    public static implicit operator EndpointChange(EndpointRefusal refusal) => new(null, refusal);
}
