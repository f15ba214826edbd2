namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// When a store's files may be purged again after somebody's reading was in the way: a try costs the store's only writer some time, and a
/// long reader stays for long. The erasures that wait for it rest meanwhile, while others go on. Not safe for concurrent use.
/// </summary>
internal sealed class PurgePause(TimeProvider time)
{
    /// <summary>From a try that failed to the next.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(1);

    private readonly HashSet<Guid> _waiting = [];
    private long _failedAt;

    /// <summary>Whether no try is made, until <see cref="EndIfOver"/>.</summary>
    public bool IsOn => _waiting.Count > 0;

    /// <summary>Lets all try again for which the pause has been long enough.</summary>
    public void EndIfOver()
    {
        if (IsOn && time.GetElapsedTime(_failedAt) >= Length) _waiting.Clear();
    }

    /// <summary>Whether this erasure waits for the pause to end, with nothing else to do.</summary>
    public bool Rests(Guid erasure) => _waiting.Contains(erasure);

    /// <summary>
    /// Tries to purge unless it is paused; false, and the erasure rests until the pause is over, when it did not come to that or failed.
    /// </summary>
    public async Task<bool> TryAsync(Guid erasure, Func<CancellationToken, Task<bool>> purge, CancellationToken stop)
    {
        if (!IsOn)
        {
            if (await purge(stop)) return true;
            _failedAt = time.GetTimestamp();
        }

        _waiting.Add(erasure);
        return false;
    }
}
