namespace ZapierTriggers.Core.Accounts;

/// <summary>An API key's stored row: never the key itself, only its SHA-256.</summary>
internal sealed record ApiKeyRecord
{
    /// <summary>Public id of the key.</summary>
    public required Guid Id { get; init; }

    /// <summary>The organization it belongs to.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>SHA-256 of the whole key text, 32 bytes.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>What may be shown of it: kind and route, for example <c>zap_live_3xK9aP0q</c>.</summary>
    public required string Prefix { get; init; }

    /// <summary>Name given by the user; <c>default</c> for the first one.</summary>
    public required string Name { get; init; }

    /// <summary>What it may do, space-separated, for example <c>events:write inbox:read</c>.</summary>
    public required string Scopes { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is refused (expiry, or the end of a rotation's grace); null = never.</summary>
    public required DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// The expiry that was given when it was made, which a rotation passes on; <see cref="ExpiresAt"/> is earlier once it is rotated or
    /// revoked.
    /// </summary>
    public DateTimeOffset? GivenExpiresAt { get; init; }

    /// <summary>When it was last used, to the minute; null = never, or not yet noted.</summary>
    public required DateTimeOffset? LastUsedAt { get; init; }
}
