namespace ZapierTriggers.Core.Delivery;

/// <summary>What may be the matter with an endpoint.</summary>
internal enum EndpointState
{
    /// <summary>Events are sent to it.</summary>
    Active = 0,

    /// <summary>It has failed so often in a row that it is tried seldom: the breaker.</summary>
    BackingOff,

    /// <summary>Its receiver has asked, with Retry-After, to be left alone.</summary>
    Paused,

    /// <summary>Disabled by hand, by an answer of 410, or after failing for too long: events are held.</summary>
    Disabled,
}

/// <summary>The states' names in the API and in the figures.</summary>
internal static class EndpointStates
{
    /// <summary>A state's name.</summary>
    public static string NameOf(EndpointState state) => state switch
    {
        EndpointState.BackingOff => "backing_off",
        EndpointState.Paused => "paused",
        EndpointState.Disabled => "disabled",
        _ => "active",
    };
}

/// <summary>How an endpoint is.</summary>
/// <param name="State">What is the matter.</param>
/// <param name="Since">Since when.</param>
/// <param name="Reason">Why, in words; null while it is active.</param>
/// <param name="ResumesAt">When it is tried again, if that is known.</param>
/// <param name="Failing">Failures in a row, since when, and what the last of them said.</param>
internal sealed record EndpointHealth(
    EndpointState State,
    DateTimeOffset Since,
    string? Reason,
    DateTimeOffset? ResumesAt,
    (int Count, DateTimeOffset? Since, string? LastError) Failing)
{
    /// <summary>Of a disabled endpoint.</summary>
    public static EndpointHealth Disabled(EndpointRecord endpoint) => new(
        EndpointState.Disabled, endpoint.DisabledAt ?? endpoint.UpdatedAt, endpoint.DisabledReason ?? "Disabled by hand.", ResumesAt: null,
        Failing: default);
}
