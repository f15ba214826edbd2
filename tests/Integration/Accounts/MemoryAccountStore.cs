using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>Just enough of a store to test the calls above it; what real stores do is tested with them.</summary>
internal sealed class MemoryAccountStore : IAccountStore
{
    /// <summary>Every row as stored.</summary>
    public List<OrganizationRecord> Organizations { get; } = [];

    /// <summary>Every key as stored.</summary>
    public List<ApiKeyRecord> Keys { get; } = [];

    /// <summary>Uses noted so far.</summary>
    public List<(Guid KeyId, DateTimeOffset At)> Uses { get; } = [];

    /// <summary>Whether every call fails as if the database were away.</summary>
    public bool IsAway { get; set; }

    /// <summary>How many more creations find their number taken.</summary>
    public int Conflicts { get; set; }

    public Task<AccountSnapshot> LoadAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new AccountSnapshot([.. Organizations], [.. Keys]));

    public Task<bool> CreateAsync(OrganizationRecord organization, ApiKeyRecord key, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        if (Conflicts-- > 0) return Task.FromResult(false);
        Organizations.Add(organization);
        Keys.Add(key);
        return Task.FromResult(true);
    }

    public Task<bool> RotateAsync(
        ApiKeyRecord added, Guid replacedKeyId, DateTimeOffset replacedEndsAt, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        var replaced = Keys.FindIndex(key => key.Id == replacedKeyId && key.OrganizationNo == added.OrganizationNo);
        if (replaced < 0) return Task.FromResult(false);
        Keys[replaced] = Keys[replaced] with { ExpiresAt = replacedEndsAt };
        Keys.Add(added);
        return Task.FromResult(true);
    }

    public Task<KeyChange> AddKeyAsync(ApiKeyRecord added, int mostKeys, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        if (Keys.Count(key => key.OrganizationNo == added.OrganizationNo && key.ExpiresAt is null) >= mostKeys)
            return Task.FromResult(KeyChange.TooMany);
        Keys.Add(added);
        return Task.FromResult(KeyChange.Done);
    }

    public Task<KeyChange> RevokeKeyAsync(int organizationNo, Guid keyId, DateTimeOffset at, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        var index = Keys.FindIndex(key => key.Id == keyId && key.OrganizationNo == organizationNo);
        Keys[index] = Keys[index] with { ExpiresAt = at };
        return Task.FromResult(KeyChange.Done);
    }

    public Task SuspendAsync(OrganizationRecord organization, CancellationToken cancellationToken) =>
        UpdateAsync(organization, cancellationToken);

    public Task UpdateAsync(OrganizationRecord organization, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        Organizations[Organizations.FindIndex(stored => stored.No == organization.No)] = organization;
        return Task.CompletedTask;
    }

    public Task NoteUseAsync(IReadOnlyList<(Guid KeyId, DateTimeOffset At)> uses, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        Uses.AddRange(uses);
        return Task.CompletedTask;
    }

    private void ThrowIfAway()
    {
        if (IsAway) throw new StoreException(StoreFailure.Unavailable, "The database is away.");
    }
}
