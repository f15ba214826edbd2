namespace ZapierTriggers.Core.Accounts;

/// <summary>A key as the request path sees it; its end may be moved forward in place when it is rotated.</summary>
internal sealed class ApiKey
{
    private const int MillisecondsPerMinute = 60_000;

    private long _endsAt;
    private long _lastUsedMinute;
    private long _drainedMinute;

    /// <summary>Creates the in-memory key from its stored row.</summary>
    public ApiKey(ApiKeyRecord record, Organization organization)
    {
        Record = record;
        Organization = organization;
        Scopes = KeyScopeNames.Parse(record.Scopes);
        _endsAt = record.ExpiresAt?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        _lastUsedMinute = _drainedMinute = (record.LastUsedAt?.ToUnixTimeMilliseconds() ?? 0) / MillisecondsPerMinute;
    }

    /// <summary>
    /// The stored row as last read; its end and last use may have moved, see <see cref="EndsAt"/> and <see cref="LastUsedAt"/>.
    /// </summary>
    public ApiKeyRecord Record { get; }

    /// <summary>The organization it belongs to.</summary>
    public Organization Organization { get; }

    /// <summary>What it may do.</summary>
    public KeyScopes Scopes { get; }

    /// <summary>Unix milliseconds from which on it is refused; <see cref="long.MaxValue"/> = never.</summary>
    public long EndsAt => Volatile.Read(ref _endsAt);

    /// <summary>When it was last used, to the minute; null = never.</summary>
    public DateTimeOffset? LastUsedAt => TimeOf(Volatile.Read(ref _lastUsedMinute));

    /// <summary>Ends the key at that time (Unix milliseconds).</summary>
    public void EndAt(long unixMilliseconds) => Volatile.Write(ref _endsAt, unixMilliseconds);

    /// <summary>Notes a use. Written once a minute only, so that busy threads do not fight for the cache line.</summary>
    public void NoteUse(long unixMilliseconds)
    {
        var minute = unixMilliseconds / MillisecondsPerMinute;
        if (Volatile.Read(ref _lastUsedMinute) != minute) Volatile.Write(ref _lastUsedMinute, minute);
    }

    /// <summary>The last use if it was not drained yet, else null. For one caller at a time.</summary>
    public DateTimeOffset? DrainUse()
    {
        var minute = Volatile.Read(ref _lastUsedMinute);
        if (minute == _drainedMinute) return null;
        _drainedMinute = minute;
        return TimeOf(minute);
    }

    private static DateTimeOffset? TimeOf(long minute) =>
        minute == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(minute * MillisecondsPerMinute);
}
