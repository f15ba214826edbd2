namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// Where organizations and keys are kept. What a call changes goes into the audit log in the same transaction, see
/// <see cref="AuditedCall"/>. Failures are <see cref="Storing.StoreException"/>.
/// </summary>
internal interface IAccountStore
{
    /// <summary>Reads all organizations and all keys that are not expired: what the request path looks up in memory.</summary>
    Task<AccountSnapshot> LoadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Adds an organization and its first key, both or none. False when the number, id or route is taken (draw again); true when exactly
    /// these are there already: a repeat whose first reply was lost.
    /// </summary>
    Task<bool> CreateAsync(OrganizationRecord organization, ApiKeyRecord key, CancellationToken cancellationToken);

    /// <summary>
    /// Adds <paramref name="added"/> and gives the key <paramref name="replacedKeyId"/> an end, both or none; also sets the organization's
    /// updated_at. False when the replaced key does not exist in that organization or has already ended; true when
    /// <paramref name="added"/> is there already: a repeat whose first reply was lost.
    /// </summary>
    Task<bool> RotateAsync(ApiKeyRecord added, Guid replacedKeyId, DateTimeOffset replacedEndsAt, CancellationToken cancellationToken);

    /// <summary>
    /// Adds a key, unless the organization has <paramref name="mostKeys"/> that have not ended; also sets the organization's updated_at. Of
    /// two at once, on whatever servers, one sees the other.
    /// </summary>
    Task<KeyChange> AddKeyAsync(ApiKeyRecord added, int mostKeys, CancellationToken cancellationToken);

    /// <summary>
    /// Ends a key at that time, which is now, unless it is the last one with <c>keys:manage</c> (one that was rotated and lives for its
    /// grace does not count); also sets the organization's updated_at. The same again with the same time is done already.
    /// </summary>
    Task<KeyChange> RevokeKeyAsync(int organizationNo, Guid keyId, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>Writes since when and why an organization is suspended, and updated_at.</summary>
    Task SuspendAsync(OrganizationRecord organization, CancellationToken cancellationToken);

    /// <summary>Writes an organization's name, tier, limit and updated_at.</summary>
    Task UpdateAsync(OrganizationRecord organization, CancellationToken cancellationToken);

    /// <summary>Notes when keys were last used; written lazily, in batches.</summary>
    Task NoteUseAsync(IReadOnlyList<(Guid KeyId, DateTimeOffset At)> uses, CancellationToken cancellationToken);
}

/// <summary>All accounts at one moment.</summary>
/// <param name="Organizations">All organizations.</param>
/// <param name="Keys">All keys without an end in the past.</param>
internal sealed record AccountSnapshot(IReadOnlyList<OrganizationRecord> Organizations, IReadOnlyList<ApiKeyRecord> Keys);
