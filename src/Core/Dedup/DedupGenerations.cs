using System.Collections.Concurrent;

namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// All generations of a <see cref="DedupWindow"/> at one moment. The set never changes, only what <see cref="Newest"/> and <see
/// cref="Warming"/> hold; a change makes a new set, so that a reader with either set finds every key that was published before it began.
/// </summary>
internal sealed record DedupGenerations
{
    // Object header 16, key 16, entry 24, next 8, hash code 4 and padding 4, and 8 for its place in the bucket array.
    private const int BytesPerDictionaryEntry = 80;

    /// <summary>Where new ids go; added to by the window's writer alone.</summary>
    public required ConcurrentDictionary<DedupKey, DedupEntry> Newest { get; init; }

    /// <summary>Where ids from before the start go.</summary>
    public required ConcurrentDictionary<DedupKey, DedupEntry> Warming { get; init; }

    /// <summary>Generations that are full and not frozen yet, the newest first.</summary>
    public ConcurrentDictionary<DedupKey, DedupEntry>[] Full { get; init; } = [];

    /// <summary>Frozen generations by their newest id, the newest first.</summary>
    public FrozenGeneration[] Frozen { get; init; } = [];

    /// <summary>Entries in the generations that no longer grow.</summary>
    public int FixedCount => Full.Sum(static g => g.Count) + Frozen.Sum(static g => g.Count);

    /// <summary>Bytes held by the frozen generations, and about those of <paramref name="growing"/> entries and of the full ones.</summary>
    public long Bytes(int growing) =>
        Frozen.Sum(static g => g.Bytes) + ((growing + Full.Sum(static g => (long)g.Count)) * BytesPerDictionaryEntry);

    /// <summary>Finds the entry of a key that is not over 24 h old; an older one of the same key does not hide it.</summary>
    public bool TryFind(DedupKey key, long nowMs, out DedupEntry entry)
    {
        if (Newest.TryGetValue(key, out entry) && entry.IsLive(nowMs)) return true;
        foreach (var generation in Full)
        {
            if (generation.TryGetValue(key, out entry) && entry.IsLive(nowMs)) return true;
        }

        foreach (var generation in Frozen)
        {
            if (generation.TryFind(key, out entry) && entry.IsLive(nowMs)) return true;
        }

        return Warming.TryGetValue(key, out entry) && entry.IsLive(nowMs);
    }

    /// <summary>All keys, in no order.</summary>
    public IEnumerable<DedupKey> Keys() =>
        Full.Append(Newest).Append(Warming).SelectMany(static generation => generation.Keys).Concat(
            Frozen.SelectMany(static generation => generation.Keys()));

    /// <summary>The set with a fresh newest generation.</summary>
    public DedupGenerations WithNewest(ConcurrentDictionary<DedupKey, DedupEntry> fresh) =>
        this with { Newest = fresh, Full = [Newest, .. Full] };

    /// <summary>The set with a fresh generation for ids from before the start.</summary>
    public DedupGenerations WithWarming(ConcurrentDictionary<DedupKey, DedupEntry> fresh) =>
        this with { Warming = fresh, Full = [.. Full, Warming] };

    /// <summary>The set with <paramref name="frozen"/> in place of the full generation it was made of.</summary>
    public DedupGenerations WithFrozen(ConcurrentDictionary<DedupKey, DedupEntry> full, FrozenGeneration frozen) =>
        this with { Full = [.. Full.Where(g => g != full)], Frozen = InOrder(Frozen.Append(frozen)) };

    /// <summary>The set with <paramref name="merged"/> in place of the two it was made of.</summary>
    public DedupGenerations WithMerged(FrozenGeneration newer, FrozenGeneration older, FrozenGeneration merged) =>
        this with { Frozen = InOrder(Frozen.Where(g => g != newer && g != older).Append(merged)) };

    /// <summary>The set without one frozen generation.</summary>
    public DedupGenerations Without(FrozenGeneration evicted) => this with { Frozen = [.. Frozen.Where(g => g != evicted)] };

    private static FrozenGeneration[] InOrder(IEnumerable<FrozenGeneration> generations) =>
        [.. generations.OrderByDescending(static g => g.Newest)];
}
