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
    private readonly ConcurrentDictionary<int, ApiKey[]> _keysOf = new();
    private volatile bool _isLoaded;

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

    /// <summary>All organizations, in any order.</summary>
    public IReadOnlyCollection<Organization> Organizations => [.. _organizations.Values];

    /// <summary>The organization with this internal number, or null.</summary>
    public Organization? FindByNo(int no) => _organizations.GetValueOrDefault(no);

    /// <summary>The organization with this public id, or null. Walks through all: for the administrator's calls.</summary>
    public Organization? FindById(Guid id) => _organizations.Values.FirstOrDefault(organization => organization.Id == id);

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
            foreach (var record in snapshot.Organizations) _organizations.TryAdd(record.No, new Organization(record));
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
            var owner = _organizations.GetOrAdd(organization.No, static (_, record) => new Organization(record), organization);
            var added = new ApiKey(key, owner);
            AddKeys(owner, [added]);
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
            var key = new ApiKey(added, organization);
            AddKeys(organization, [key]);
            replaced.EndAt(Math.Min(replaced.EndsAt, replacedEndsAt.ToUnixTimeMilliseconds()));
            organization.Update(organization.Record with { UpdatedAt = added.CreatedAt });
            return key;
        }
    }

    /// <summary>Changes an organization's row; <paramref name="change"/> gets the present one.</summary>
    public void Change(Organization organization, Func<OrganizationRecord, OrganizationRecord> change)
    {
        lock (_changes) organization.Update(change(organization.Record));
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
        lock (_changes)
        {
            foreach (var key in _keysOf.GetValueOrDefault(no, [])) _keys.TryRemove(KeyHash.FromBytes(key.Record.Hash), out _);
            _keysOf.TryRemove(no, out _);
            _organizations.TryRemove(no, out _);
        }
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

    private void AddKeys(Organization organization, ApiKey[] keys)
    {
        _keysOf[organization.No] = [.. _keysOf.GetValueOrDefault(organization.No, []), .. keys];
        foreach (var key in keys) _keys[KeyHash.FromBytes(key.Record.Hash)] = key;
    }
}
