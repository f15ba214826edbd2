using System.Collections.Concurrent;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// Remembers for 24 h which event was the first with a dedup id. One writer (the sequencer) publishes; any thread reads without a lock.
/// New ids go to a dictionary; a full one is replaced and frozen in the background (millions of dictionary nodes would cost the collector
/// pauses of 160 ms, flat tables 2 ms), and frozen ones of similar size are merged, so that a look-up touches few. Memory is bounded by
/// <see cref="DedupOptions.MaxEntries"/>: whole old generations are evicted, but only what is stored; of their keys filters remain
/// (<see cref="EvictedKeys"/>), and <see cref="IsMissProof"/> tells whether a miss is proof.
/// </summary>
internal sealed class DedupWindow
{
    /// <summary>How long an id is remembered, in milliseconds.</summary>
    public const long LengthMs = 24 * 60 * 60 * 1000;

    // 64 Ki entries of 80 bytes are 5 MiB of small objects: what the collector may have to follow, and a second of ids at full load.
    private const int LargestGeneration = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Func<ulong> _storedThrough;
    private readonly TimeProvider _time;
    private readonly ILoopHost _host;
    private readonly int _maxEntries;
    private readonly int _generationEntries;
    private readonly EvictedKeys _evicted;

    private volatile DedupGenerations _generations;
    private int _newestCount;
    private int _warmingCount;
    private long _ownersCoverageMs;
    private long _restoredSinceMs = long.MaxValue;
    private long _evictedThroughMs = long.MinValue;
    private long _evictionVersion;
    private bool _maintaining;
    private bool _maintainAgain;

    /// <summary>Starts empty.</summary>
    /// <param name="options">The bound on entries.</param>
    /// <param name="coveredSinceMs">
    /// Unix milliseconds from which on every accepted id will be published here. At start: behind the clock and behind the last id issued
    /// before, whichever is later, since ids can be ahead of the clock.
    /// </param>
    /// <param name="storedThrough">
    /// Position (<see cref="EventId.High"/>) up to which events are in the store; read by a background thread.
    /// </param>
    /// <param name="time">For the age of what is evicted.</param>
    /// <param name="host">Where the background passes run; null = on the pool.</param>
    public DedupWindow(DedupOptions options, long coveredSinceMs, Func<ulong> storedThrough, TimeProvider time, ILoopHost? host = null)
    {
        _maxEntries = options.MaxEntries;
        _generationEntries = Math.Clamp(_maxEntries / 64, 1, LargestGeneration);
        _evicted = new EvictedKeys(Math.Max(1, _maxEntries / 2), options.FilterBytes); // few, since each is asked
        _ownersCoverageMs = coveredSinceMs;
        _storedThrough = storedThrough;
        _time = time;
        _host = host ?? SystemLoopHost.Instance;
        _generations = new DedupGenerations { Newest = CreateDictionary(), Warming = [] };
    }

    /// <summary>
    /// Every dedup id accepted at or after this time (Unix milliseconds) is here. Moves forward when something is evicted.
    /// </summary>
    public long CoveredSinceMs => Math.Max(Volatile.Read(ref _ownersCoverageMs), Volatile.Read(ref _evictedThroughMs) + 1);

    /// <summary>
    /// Every dedup id accepted at or after this time (Unix milliseconds) is here or in a filter of evicted ids.
    /// </summary>
    public long KnownSinceMs => Math.Max(
        Math.Min(Volatile.Read(ref _ownersCoverageMs), Volatile.Read(ref _restoredSinceMs)), _evicted.ForgottenThroughMs + 1);

    /// <summary>
    /// Goes up with every eviction. Read it before asking the store; if it is the same when the window is asked last, a miss in both is
    /// proof that the id is new: only what is stored is evicted, so whatever has left the window by then was there for the store to find.
    /// </summary>
    public long EvictionVersion => Volatile.Read(ref _evictionVersion);

    /// <summary>Entries held, some of them perhaps over 24 h old.</summary>
    public int Count => _generations.FixedCount + Growing;

    /// <summary>Bytes held, the not yet frozen part as an estimate.</summary>
    public long Bytes => _generations.Bytes(Growing) + _evicted.Bytes;

    /// <summary>
    /// The last background pass that failed, if any; what it would have frozen is still found, and the next pass tries again.
    /// </summary>
    public Exception? MaintenanceFault { get; private set; }

    /// <summary>Completes when no background pass is running or due.</summary>
    public Task Maintenance { get; private set; } = Task.CompletedTask;

    private int Growing => Volatile.Read(ref _newestCount) + Volatile.Read(ref _warmingCount);

    /// <summary>
    /// Finds the first event with this key, if it was accepted less than 24 h before <paramref name="nowMs"/>. Any thread.
    /// </summary>
    public bool TryFind(DedupKey key, long nowMs, out DedupEntry entry) => _generations.TryFind(key, nowMs, out entry);

    /// <summary>
    /// Whether a miss is proof that the organization has accepted no event with that id in the last 24 h. Ask after the miss: an eviction
    /// moves the coverage, and fills the filter, before it takes the entries away.
    /// </summary>
    public bool IsMissProof(DedupKey key, long organizationCreatedAtMs, long nowMs)
    {
        return Reaches(CoveredSinceMs) || (!_evicted.MayHold(key) && Reaches(KnownSinceMs)); // in this order: see MayHold

        bool Reaches(long since) => since <= nowMs - LengthMs + 1 || organizationCreatedAtMs >= since;
    }

    /// <summary>
    /// Remembers an accepted event. The writer only; readers find it from the return on. An expired entry of the same key is replaced.
    /// </summary>
    public void Publish(DedupKey key, EventId id, ulong payloadHash)
    {
        var newest = _generations.Newest;
        var entry = new DedupEntry(id, payloadHash);
        if (!newest.TryAdd(key, entry))
        {
            newest[key] = entry;
            return;
        }

        if (_newestCount + 1 < _generationEntries)
        {
            Volatile.Write(ref _newestCount, _newestCount + 1);
            return;
        }

        lock (_gate) _generations = _generations.WithNewest(CreateDictionary());
        Volatile.Write(ref _newestCount, 0);
        Maintain();
    }

    /// <summary>
    /// Remembers an event from before the start, from the journal or the store, in any order and next to the writer; readers find it from
    /// the return on. When all of them since some time are there, <see cref="ExtendCoverage"/> makes a miss proof for that time too.
    /// </summary>
    public void Preload(DedupKey key, EventId id, ulong payloadHash)
    {
        lock (_gate)
        {
            var warming = _generations.Warming;
            var entry = new DedupEntry(id, payloadHash);
            if (!warming.TryAdd(key, entry))
            {
                if (warming[key].Id < id) warming[key] = entry;
                return;
            }

            if (++_warmingCount < _generationEntries) return;
            FillWarming();
        }

        Maintain();
    }

    /// <summary>
    /// States that every id accepted at or after that time (Unix milliseconds) has been published or preloaded. What was evicted
    /// meanwhile stays uncovered.
    /// </summary>
    public void ExtendCoverage(long sinceMs)
    {
        lock (_gate)
        {
            if (sinceMs < _ownersCoverageMs) Volatile.Write(ref _ownersCoverageMs, sinceMs);
            if (_warmingCount == 0) return;
            FillWarming();
        }

        Maintain();
    }

    /// <summary>
    /// All that is known, for the next process, as filters. Nothing may be published any more. <paramref name="lastId"/> is the last id
    /// issued.
    /// </summary>
    public async Task<KnownIds> LeaveAsync(EventId lastId)
    {
        await Maintenance;
        var keys = new KeyFilter(Math.Max(1, Count));
        foreach (var key in _generations.Keys()) keys.Add(key);
        return new KnownIds(KnownSinceMs, [.. _evicted.Filters, new AgedFilter(keys) { NewestMs = lastId.UnixMilliseconds }]);
    }

    /// <summary>
    /// Takes over what the process before knew, when no id was accepted since. Before anything is evicted here.
    /// </summary>
    public void Restore(KnownIds known)
    {
        _evicted.Restore(known.Filters, _time.GetUtcNow().ToUnixTimeMilliseconds() - LengthMs);
        Volatile.Write(ref _restoredSinceMs, known.SinceMs);
    }

    /// <summary>
    /// Starts a background pass: freeze, merge, evict. Comes by itself with each full generation; worth calling now and then to let go of
    /// expired ids in quiet times.
    /// </summary>
    public void Maintain()
    {
        lock (_gate)
        {
            _maintainAgain = true;
            if (_maintaining) return;
            _maintaining = true;
            Maintenance = _host.Run(RunMaintenance);
        }
    }

    /// <summary>Hands the warming generation over to be frozen. Called under the gate.</summary>
    private void FillWarming()
    {
        _generations = _generations.WithWarming([]);
        _warmingCount = 0;
    }

    private Task RunMaintenance()
    {
        while (true)
        {
            lock (_gate)
            {
                _maintaining = _maintainAgain;
                _maintainAgain = false;
                if (!_maintaining) return Task.CompletedTask;
            }

            try
            {
                FreezeFull();
                MergeSimilar();
                EvictOldest();
            }
            catch (Exception e)
            {
                MaintenanceFault = e;
            }
        }
    }

    /// <summary>Freezes until a set without full generations is seen; returns that set.</summary>
    private DedupGenerations FreezeFull()
    {
        while (true)
        {
            var generations = _generations;
            if (generations.Full is not [.., var oldest]) return generations;
            var frozen = FrozenGeneration.Of(oldest);
            lock (_gate) _generations = _generations.WithFrozen(oldest, frozen);
        }
    }

    /// <summary>
    /// Merges neighbours of similar size, as log-structured stores do, up to a quarter of the bound: that much is evicted at once at the
    /// most, and a look-up touches eight tables or so.
    /// </summary>
    private void MergeSimilar()
    {
        var frozen = _generations.Frozen;
        for (var i = 0; i + 1 < frozen.Length; i++)
        {
            var (newer, older) = (frozen[i], frozen[i + 1]);
            if (newer.Count < older.Count / 2 || newer.Count + older.Count > _maxEntries / 4) continue;
            var merged = FrozenGeneration.Merge(newer, older);
            lock (_gate) _generations = _generations.WithMerged(newer, older, merged);
            frozen = _generations.Frozen;
            i = -1;
        }
    }

    private void EvictOldest()
    {
        var expired = _time.GetUtcNow().ToUnixTimeMilliseconds() - LengthMs;
        while (true)
        {
            // All must be frozen first: while ids are preloaded, what is only full may be older than the oldest that is frozen.
            var generations = FreezeFull();
            if (generations.Frozen is not [.., var oldest]) return;
            var hasRoom = generations.FixedCount + Growing + _generationEntries <= _maxEntries; // for all that comes before the next pass
            if (oldest.Newest.UnixMilliseconds > expired && hasRoom) return;
            if (oldest.Newest.High > _storedThrough()) return;

            // In this order: who misses an evicted entry must see the filter, the coverage and the version that go with it.
            _evicted.Add(oldest, expired);
            Volatile.Write(ref _evictedThroughMs, Math.Max(_evictedThroughMs, oldest.Newest.UnixMilliseconds));
            Interlocked.Increment(ref _evictionVersion);
            lock (_gate) _generations = _generations.Without(oldest);
        }
    }

    private ConcurrentDictionary<DedupKey, DedupEntry> CreateDictionary() => new(concurrencyLevel: 1, _generationEntries);
}
