namespace ZapierTriggers.Core.Accounts;

/// <summary>A key as the request path sees it; its end may be moved forward in place when it is rotated.</summary>
internal sealed class ApiKey
{
    private long _endsAt;

    /// <summary>Creates the in-memory key from its stored row.</summary>
    public ApiKey(ApiKeyRecord record, Organization organization)
    {
        Record = record;
        Organization = organization;
        _endsAt = record.ExpiresAt?.ToUnixTimeMilliseconds() ?? long.MaxValue;
    }

    /// <summary>The stored row as last read; its end may have moved, see <see cref="EndsAt"/>.</summary>
    public ApiKeyRecord Record { get; }

    /// <summary>The organization it belongs to.</summary>
    public Organization Organization { get; }

    /// <summary>Unix milliseconds from which on it is refused; <see cref="long.MaxValue"/> = never.</summary>
    public long EndsAt => Volatile.Read(ref _endsAt);

    /// <summary>Ends the key at that time (Unix milliseconds).</summary>
    public void EndAt(long unixMilliseconds) => Volatile.Write(ref _endsAt, unixMilliseconds);
}
