using System.Buffers;
using System.Text;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// Events of one organization that are decided together, in their order: either there is room for all of them, or none has happened.
/// Disposed when nobody looks at its items any more.
/// </summary>
internal sealed class EventBatch : IDisposable
{
    private BatchItem[] _items;

    /// <summary>Room for so many events.</summary>
    public EventBatch(int capacity) => _items = ArrayPool<BatchItem>.Shared.Rent(capacity);

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of their payloads.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>The events and what has been decided of them.</summary>
    public Span<BatchItem> Items => _items.AsSpan(0, Count);

    /// <summary>Adds an event, without an id; <paramref name="key"/> is the hash of its dedup id, if it has one.</summary>
    public void Add(in JournaledEvent item, DedupKey key)
    {
        _items[Count++] = new BatchItem { Event = item, DedupKey = key };
        PayloadBytes += item.Payload.Length;
    }

    /// <summary>
    /// Decides those whose dedup id the window knows. False when it cannot know one of the others and the store was not asked at
    /// <paramref name="storeAskedAt"/> (see <see cref="Submission.StoreAskedAt"/>).
    /// </summary>
    public bool TryFindDuplicates(DedupWindow window, long organizationCreatedAtMs, long nowMs, long storeAskedAt)
    {
        var isOpen = false;
        foreach (ref var item in Items)
        {
            if (item.HasOpenDedupId && !item.TryFindDuplicate(window, nowMs))
                isOpen |= !window.IsMissProof(item.DedupKey, organizationCreatedAtMs, nowMs);
        }

        return !isOpen || storeAskedAt == window.EvictionVersion;
    }

    /// <summary>The dedup ids that only the store can tell about, each once.</summary>
    public IReadOnlyCollection<string> OpenDedupIds(DedupWindow window, long organizationCreatedAtMs, long nowMs)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (ref readonly var item in Items)
        {
            if (item.HasOpenDedupId && !window.IsMissProof(item.DedupKey, organizationCreatedAtMs, nowMs))
                ids.Add(Encoding.UTF8.GetString(item.Event.DedupId.Span));
        }

        return ids;
    }

    /// <summary>Decides those whose dedup ids are among the stored ones.</summary>
    public void Decide(IReadOnlyDictionary<string, DuplicateOf> stored)
    {
        if (stored.Count == 0) return;
        foreach (ref var item in Items)
        {
            if (item.HasOpenDedupId && stored.TryGetValue(Encoding.UTF8.GetString(item.Event.DedupId.Span), out var first))
                item.Decide(new Receipt(ReceiptKind.Duplicate, first.Id, first.PayloadHash));
        }
    }

    /// <summary>Bytes of the frames of all that are undecided, and of the longest of them.</summary>
    public (long Bytes, int Longest) Measure()
    {
        var (bytes, longest) = (0L, 0);
        foreach (ref readonly var item in Items)
        {
            if (item.IsDecided) continue;
            var length = Frame.LengthOf(item.Event);
            bytes += length;
            longest = Math.Max(longest, length);
        }

        return (bytes, longest);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_items.Length == 0) return;
        Items.Clear();
        ArrayPool<BatchItem>.Shared.Return(_items);
        (_items, Count) = ([], 0);
    }
}

/// <summary>One event of a batch.</summary>
internal struct BatchItem
{
    /// <summary>The event, without an id.</summary>
    public JournaledEvent Event;

    /// <summary>Hash of its dedup id; only meaningful when it has one.</summary>
    public DedupKey DedupKey;

    /// <summary>What became of it; only meaningful when <see cref="IsDecided"/>.</summary>
    public Receipt Receipt { get; private set; }

    /// <summary>Whether that is known: <see cref="ReceiptKind.Accepted"/> or <see cref="ReceiptKind.Duplicate"/>.</summary>
    public bool IsDecided { get; private set; }

    /// <summary>Whether it is undecided and may be a duplicate.</summary>
    public readonly bool HasOpenDedupId => !IsDecided && !Event.DedupId.IsEmpty;

    /// <summary>Decides it as a duplicate if the window knows its dedup id.</summary>
    public bool TryFindDuplicate(DedupWindow window, long nowMs)
    {
        if (window.TryFind(DedupKey, nowMs, out var first)) Decide(new Receipt(ReceiptKind.Duplicate, first.Id, first.PayloadHash));
        return IsDecided;
    }

    /// <summary>Says what became of it.</summary>
    public void Decide(Receipt receipt) => (Receipt, IsDecided) = (receipt, true);
}
