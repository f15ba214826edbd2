using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// A read-only table of dedup entries in two arrays without references, so that the collector has nothing to follow whatever their size.
/// Open addressing in groups of 16 slots: one tag byte a slot, so that a group is searched by one comparison and a miss, the usual case,
/// reads one cache line.
/// </summary>
/// <remarks>Memory: (1 + 40) bytes a slot at a load of 0.8 = 51 bytes an entry.</remarks>
internal sealed class FrozenGeneration
{
    private const int GroupSize = 16; // one Vector128<byte>
    private const double MaxLoad = 0.8; // (0.8)^16 = 3 % of the groups are full, so a miss reads 1.03 groups

    private readonly byte[] _tags; // 0 = free
    private readonly Slot[] _slots;
    private readonly uint _groups;

    private FrozenGeneration(int capacity)
    {
        _groups = (uint)Math.Max(1, Math.Ceiling(capacity / MaxLoad / GroupSize));
        _tags = new byte[_groups * GroupSize];
        _slots = new Slot[_tags.Length];
    }

    /// <summary>Entries in it.</summary>
    public int Count { get; private set; }

    /// <summary>The newest entry's id.</summary>
    public EventId Newest { get; private set; }

    /// <summary>Bytes of its two arrays.</summary>
    public long Bytes => (long)_tags.Length * (1 + Unsafe.SizeOf<Slot>());

    /// <summary>Freezes entries with distinct keys.</summary>
    public static FrozenGeneration Of(IReadOnlyCollection<KeyValuePair<DedupKey, DedupEntry>> entries)
    {
        var frozen = new FrozenGeneration(entries.Count);
        foreach (var (key, entry) in entries) frozen.Add(new Slot(key, entry));
        return frozen;
    }

    /// <summary>One table in place of two; of two entries with the same key the later is kept.</summary>
    public static FrozenGeneration Merge(FrozenGeneration newer, FrozenGeneration older)
    {
        var merged = new FrozenGeneration(newer.Count + older.Count);
        foreach (ref readonly var slot in newer._slots.AsSpan())
        {
            if (!slot.IsFree) merged.Add(slot);
        }

        foreach (ref readonly var slot in older._slots.AsSpan())
        {
            if (!slot.IsFree) merged.AddOrKeepLater(slot);
        }

        return merged;
    }

    /// <summary>Finds the entry of a key.</summary>
    public bool TryFind(DedupKey key, out DedupEntry entry)
    {
        var at = Find(key);
        entry = at < 0 ? default : _slots[at].Entry;
        return at >= 0;
    }

    /// <summary>All keys, in no order.</summary>
    public IEnumerable<DedupKey> Keys()
    {
        foreach (var slot in _slots)
        {
            if (!slot.IsFree) yield return slot.Key;
        }
    }

    private int Find(DedupKey key)
    {
        var tag = Vector128.Create(TagOf(key));
        for (var group = GroupOf(key); ; group = group + 1 == _groups ? 0 : group + 1)
        {
            var tags = Vector128.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(_tags), group * GroupSize);
            for (var hits = Vector128.Equals(tags, tag).ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
            {
                var at = (int)(group * GroupSize) + BitOperations.TrailingZeroCount(hits);
                if (_slots[at].Key.Equals(key)) return at;
            }

            if (Vector128.EqualsAny(tags, Vector128<byte>.Zero)) return -1;
        }
    }

    private void AddOrKeepLater(in Slot slot)
    {
        var at = Find(slot.Key);
        if (at < 0) Add(slot);
        else if (slot.Entry.Id > _slots[at].Entry.Id) _slots[at] = slot;
    }

    private void Add(in Slot slot)
    {
        var at = (int)(GroupOf(slot.Key) * GroupSize);
        while (_tags[at] != 0) at = at + 1 == _tags.Length ? 0 : at + 1;
        _tags[at] = TagOf(slot.Key);
        _slots[at] = slot;
        Count++;
        if (slot.Entry.Id > Newest) Newest = slot.Entry.Id;
    }

    /// <summary>The group where the search for a key begins: its upper bits scaled to the number of groups.</summary>
    private uint GroupOf(DedupKey key) => (uint)(((key.High >> 32) * _groups) >> 32);

    private static byte TagOf(DedupKey key) => (byte)Math.Max(1UL, key.Low & 0xFF);

    /// <summary>One entry, 40 bytes: key 16, id 16, payload hash 8.</summary>
    private readonly record struct Slot(DedupKey Key, DedupEntry Entry)
    {
        public bool IsFree => Entry.Id.IsZero; // which no issued id is
    }
}
