namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// What is left of the keys that a <see cref="DedupWindow"/> had to evict: filters, at a twenty-fifth of their memory, that tell for
/// certain of nearly all new ids that they are new. The window's maintenance adds; any thread asks.
/// </summary>
/// <param name="capacity">Keys for each filter.</param>
/// <param name="maxBytes">Of all filters; past it the oldest is forgotten.</param>
internal sealed class EvictedKeys(int capacity, long maxBytes)
{
    private volatile AgedFilter[] _filters = []; // the newest, to which keys are added, last
    private long _forgottenThroughMs = long.MinValue;

    /// <summary>What was evicted and is in no filter was accepted at or before this time (Unix milliseconds).</summary>
    public long ForgottenThroughMs => Volatile.Read(ref _forgottenThroughMs);

    /// <summary>Bytes of all filters.</summary>
    public long Bytes => _filters.Sum(static filter => filter.Keys.Bytes);

    /// <summary>The filters, the oldest first.</summary>
    public IReadOnlyList<AgedFilter> Filters => _filters;

    /// <summary>
    /// False when the key was certainly not evicted later than <see cref="ForgottenThroughMs"/>, which is to be read after this: a filter
    /// is forgotten only after that was moved.
    /// </summary>
    public bool MayHold(DedupKey key)
    {
        foreach (var filter in _filters)
        {
            if (filter.Keys.MayHold(key)) return true;
        }

        return false;
    }

    /// <summary>
    /// Takes the keys of a generation that is about to be evicted, of which those before <paramref name="expiredMs"/> do not matter.
    /// </summary>
    public void Add(FrozenGeneration evicted, long expiredMs)
    {
        var newestMs = evicted.Newest.UnixMilliseconds;
        DropExpired(expiredMs);
        if (newestMs <= expiredMs || !TryMakeRoom())
        {
            Forget(newestMs);
            return;
        }

        var last = _filters[^1];
        foreach (var key in evicted.Keys())
        {
            if (last.Keys.Count == last.Keys.Capacity)
            {
                if (!TryMakeRoom())
                {
                    Forget(newestMs);
                    return;
                }

                last = _filters[^1];
            }

            last.NewestMs = Math.Max(last.NewestMs, newestMs);
            last.Keys.Add(key);
        }
    }

    /// <summary>Takes filters over, the oldest first, as far as there is room for the newest. Before any key was added.</summary>
    public void Restore(IReadOnlyList<AgedFilter> filters, long expiredMs)
    {
        _filters = [.. filters];
        DropExpired(expiredMs);
        Bound(0);
    }

    /// <summary>Lets go of filters whose keys are all expired.</summary>
    private void DropExpired(long expiredMs)
    {
        foreach (var filter in _filters.Where(filter => filter.NewestMs <= expiredMs).ToList())
        {
            Forget(filter.NewestMs); // by a clock that is set back it is not
            _filters = [.. _filters.Where(other => other != filter)];
        }
    }

    /// <summary>
    /// Sees to it that the last filter takes another key: begins one, for which the oldest may have to go. False when none is allowed.
    /// </summary>
    private bool TryMakeRoom()
    {
        if (_filters is [.., var last] && last.Keys.Count < last.Keys.Capacity) return true;
        var fresh = new AgedFilter(new KeyFilter(capacity));
        if (fresh.Keys.Bytes > maxBytes) return false;
        Bound(fresh.Keys.Bytes);
        _filters = [.. _filters, fresh];
        return true;
    }

    /// <summary>Forgets the oldest filters until so many more bytes are allowed.</summary>
    private void Bound(long moreBytes)
    {
        while (_filters is [var oldest, .. var others] && Bytes + moreBytes > maxBytes)
        {
            Forget(oldest.NewestMs);
            _filters = others;
        }
    }

    private void Forget(long throughMs) => Volatile.Write(ref _forgottenThroughMs, Math.Max(_forgottenThroughMs, throughMs));
}
