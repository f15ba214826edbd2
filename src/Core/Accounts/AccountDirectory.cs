using System.Collections.Concurrent;

namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// All organizations and keys, in memory: what the request path looks up. Reading takes no lock; changes, which are rare, take one. The
/// caller stores a change first and applies it here afterwards.
/// </summary>
internal sealed class AccountDirectory(TimeProvider time)
{
    private readonly Lock _changes = new();
    private readonly KeyCache _recent = new();
    private readonly ConcurrentDictionary<KeyHash, ApiKey> _keys = new();
    private readonly ConcurrentDictionary<int, Organization> _organizations = new();
    private readonly ConcurrentDictionary<Guid, Organization> _byId = new();
    private readonly ConcurrentDictionary<int, ApiKey[]> _keysOf = new();
    private volatile bool _isLoaded;

    /// <summary>Told the number of each organization that was changed by a call of this process.</summary>
    public Action<int> ChangedHere { get; set; } = static _ => { };

    /// <summary>All organizations, in no order.</summary>
    public IEnumerable<Organization> Organizations => _organizations.Select(static pair => pair.Value);

    /// <summary>Whether the stored accounts are all here: before that, a key that is not found proves nothing.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>
    /// The valid key with this text, or null. Its end is looked at on each call, so a revoked or rotated key is refused at once, a
    /// remembered one too.
    /// </summary>
    public ApiKey? Authenticate(ReadOnlySpan<char> keyText) => Authenticate(keyText, time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>The same for a caller that has read the wall clock already (Unix milliseconds).</summary>
    public ApiKey? Authenticate(ReadOnlySpan<char> keyText, long unixMilliseconds)
    {
        var key = _recent.Find(keyText) ?? FindByHash(keyText);
        if (key is null || key.EndsAt <= unixMilliseconds) return null;
        key.NoteUse(unixMilliseconds);
        return key;
    }

    /// <summary>The organization with this internal number, or null.</summary>
    public Organization? FindByNo(int no) => _organizations.GetValueOrDefault(no);

    /// <summary>The organization with this public id, or null.</summary>
    public Organization? FindById(Guid id) => _byId.GetValueOrDefault(id);

    /// <summary>The organization's key with this id if it has not ended, else null.</summary>
    public ApiKey? FindKey(Organization organization, Guid keyId) =>
        KeysOf(organization).FirstOrDefault(key => key.Record.Id == keyId);

    /// <summary>The keys of the organization that have not ended, oldest first.</summary>
    public IReadOnlyList<ApiKey> KeysOf(Organization organization)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return [.. _keysOf.GetValueOrDefault(organization.No, []).Where(key => key.EndsAt > now).OrderBy(key => key.Record.CreatedAt)];
    }

    /// <summary>
    /// Takes in all stored accounts; once, at the start. Throws <see cref="InvalidDataException"/> when a key's organization is missing.
    /// </summary>
    public void Load(AccountSnapshot snapshot)
    {
        lock (_changes)
        {
            foreach (var record in snapshot.Organizations) GetOrAdd(record);
            foreach (var keys in snapshot.Keys.GroupBy(record => record.OrganizationNo))
            {
                var organization = FindByNo(keys.Key) ?? throw new InvalidDataException(
                    $"The stored keys name organization {keys.Key}, which is not stored: restore it, or remove its keys.");
                AddKeys(organization, [.. keys.Select(record => new ApiKey(record, organization))]);
            }

            _isLoaded = true;
        }
    }

    /// <summary>Adds a new organization with its first key.</summary>
    public ApiKey Add(OrganizationRecord organization, ApiKeyRecord key)
    {
        lock (_changes)
        {
            var owner = GetOrAdd(organization);
            var added = AddKey(owner, key);
            Changed(owner);
            return added;
        }
    }

    /// <summary>
    /// Adds the key that replaces <paramref name="replaced"/>, then ends that one at the given time: now, or after a grace. An end is
    /// never moved back.
    /// </summary>
    public ApiKey Rotate(ApiKey replaced, ApiKeyRecord added, DateTimeOffset replacedEndsAt)
    {
        lock (_changes)
        {
            var organization = replaced.Organization;
            var key = AddKey(organization, added);
            replaced.EndAt(Math.Min(replaced.EndsAt, replacedEndsAt.ToUnixTimeMilliseconds()));
            organization.Update(organization.Record with { UpdatedAt = added.CreatedAt });
            Changed(organization);
            return key;
        }
    }

    /// <summary>Adds one more key of an organization.</summary>
    public ApiKey Add(Organization organization, ApiKeyRecord added)
    {
        lock (_changes)
        {
            var key = AddKey(organization, added);
            organization.Update(organization.Record with { UpdatedAt = added.CreatedAt });
            Changed(organization);
            return key;
        }
    }

    /// <summary>Ends a key now.</summary>
    public void Revoke(ApiKey key, DateTimeOffset at)
    {
        lock (_changes)
        {
            key.EndAt(Math.Min(key.EndsAt, at.ToUnixTimeMilliseconds()));
            key.Organization.Update(key.Organization.Record with { UpdatedAt = at });
            Changed(key.Organization);
        }
    }

    /// <summary>Where an organization is in its changes, before its rows are read for <see cref="TakeOver"/>; 0 = it is not here.</summary>
    public long ChangesOf(int no)
    {
        lock (_changes) return FindByNo(no)?.Changes ?? 0;
    }

    /// <summary>
    /// Takes over an organization's rows as another server may have changed them. Nothing when a call of this process has changed it since
    /// <paramref name="changesBefore"/>: the rows may be older than that, and are read again.
    /// </summary>
    /// <param name="no">The organization.</param>
    /// <param name="changesBefore">See <see cref="ChangesOf"/>, asked before the rows were read.</param>
    /// <param name="record">Its row; null when it is gone.</param>
    /// <param name="keys">Its keys that have not ended.</param>
    public Organization? TakeOver(int no, long changesBefore, OrganizationRecord? record, IReadOnlyList<ApiKeyRecord> keys)
    {
        lock (_changes)
        {
            if (ChangesOf(no) != changesBefore) return null;
            if (record is null)
            {
                Forget(no);
                return null;
            }

            var organization = GetOrAdd(record);
            var isChanged = organization.Record != record with { UpdatedAt = organization.Record.UpdatedAt };
            var stored = keys.ToDictionary(static key => key.Id);
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var known in _keysOf.GetValueOrDefault(no, []))
            {
                var endsAt = !stored.Remove(known.Record.Id, out var row) ? Math.Min(known.EndsAt, now)
                    : row.ExpiresAt?.ToUnixTimeMilliseconds() ?? long.MaxValue;
                isChanged |= endsAt != known.EndsAt;
                known.EndAt(endsAt);
            }

            foreach (var added in stored.Values) AddKey(organization, added);

            // A change of an endpoint alone is in no call's answer here: it would be seen from some moment on only.
            if (isChanged || stored.Count > 0) organization.Update(record);
            return organization;
        }
    }

    /// <summary>Changes an organization's row; <paramref name="change"/> gets the present one.</summary>
    public void Change(Organization organization, Func<OrganizationRecord, OrganizationRecord> change)
    {
        lock (_changes)
        {
            organization.Update(change(organization.Record));
            Changed(organization);
        }
    }

    /// <summary>
    /// Ends all keys of an organization that is to be erased; it takes no event any more, whoever has authenticated before.
    /// </summary>
    public void Close(Organization organization)
    {
        lock (_changes)
        {
            organization.IsClosed = true;
            foreach (var key in _keysOf.GetValueOrDefault(organization.No, [])) key.EndAt(0);
        }
    }

    /// <summary>Forgets an organization that has been erased.</summary>
    public void Remove(int no)
    {
        lock (_changes) Forget(no);
    }

    /// <summary>The keys used since the last call, each with its last use, to the minute. For one caller at a time.</summary>
    public IReadOnlyList<(Guid KeyId, DateTimeOffset At)> DrainUses()
    {
        var uses = new List<(Guid, DateTimeOffset)>();
        foreach (var (_, key) in _keys)
        {
            if (key.DrainUse() is { } at) uses.Add((key.Record.Id, at));
        }

        return uses;
    }

    /// <summary>Forgets keys that have ended, so that rotating for ever does not fill the memory.</summary>
    public void RemoveEnded()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (_changes)
        {
            foreach (var (hash, key) in _keys)
            {
                if (key.EndsAt > now) continue;
                _keys.TryRemove(hash, out _);
                var no = key.Organization.No;
                _keysOf[no] = [.. _keysOf.GetValueOrDefault(no, []).Where(other => other != key)];
            }
        }
    }

    private ApiKey? FindByHash(ReadOnlySpan<char> text)
    {
        if (!KeyFormat.IsWellFormed(text) || !_keys.TryGetValue(KeyHash.Of(text), out var key)) return null;
        _recent.Add(text, key);
        return key;
    }

    private Organization GetOrAdd(OrganizationRecord record)
    {
        var organization = _organizations.GetOrAdd(record.No, static (_, row) => new Organization(row), record);
        _byId[organization.Id] = organization;
        return organization;
    }

    private ApiKey AddKey(Organization organization, ApiKeyRecord record)
    {
        // It may have been taken over from the store before the call that has made it comes here.
        if (_keys.TryGetValue(KeyHash.FromBytes(record.Hash), out var known)) return known;
        var key = new ApiKey(record, organization);
        AddKeys(organization, [key]);
        return key;
    }

    private void Forget(int no)
    {
        if (!_organizations.TryRemove(no, out var gone)) return;
        _byId.TryRemove(gone.Id, out _);
        if (!_keysOf.TryRemove(no, out var keys)) return;
        foreach (var key in keys)
        {
            key.EndAt(0);
            _keys.TryRemove(KeyHash.FromBytes(key.Record.Hash), out _);
        }
    }

    private void Changed(Organization organization)
    {
        organization.Changes++;
        ChangedHere(organization.No);
    }

    private void AddKeys(Organization organization, ApiKey[] keys)
    {
        _keysOf[organization.No] = [.. _keysOf.GetValueOrDefault(organization.No, []), .. keys];
        foreach (var key in keys) _keys[KeyHash.FromBytes(key.Record.Hash)] = key;
    }
}
