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

    /// <summary>
    /// The lane's cursor: every event up to it has an outcome, an acknowledgement or a retry row, or was accepted before the endpoint was
    /// made.
    /// </summary>
    public required EventId DeliveredThrough { get; init; }

    /// <summary>How often the lane was set back: a cursor counts for its own generation only.</summary>
    public int LaneGeneration { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}
