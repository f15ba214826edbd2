namespace ZapierTriggers.Core.Storing;

/// <summary>Selects the next events of an erasure, a chunk at a time.</summary>
internal sealed class ErasureScan(IErasureStore store, int chunkSize)
{
    /// <summary>What is set aside comes last, under a cursor that no event has.</summary>
    private static readonly EventId SetAside = new(ulong.MaxValue, ulong.MaxValue);

    /// <summary>
    /// The events of the next chunk that are meant, and where the one after it begins; and whether there is none after it.
    /// </summary>
    public async Task<((IReadOnlyList<EventId> Ids, EventId Cursor) Chunk, bool IsLast)> NextAsync(
        Erasure erasure, CancellationToken cancellationToken)
    {
        if (erasure.Cursor == SetAside) return (([], SetAside), true); // done; only the journal was not
        var selection = ErasureSelection.Read(erasure.Selection);
        return selection.EventIds is { } ids
            ? await ByIdAsync(erasure, ids, cancellationToken)
            : await ByPayloadAsync(erasure, selection, cancellationToken);
    }

    private async Task<((IReadOnlyList<EventId> Ids, EventId Cursor) Chunk, bool IsLast)> ByIdAsync(
        Erasure erasure, IReadOnlyList<EventId> ids, CancellationToken cancellationToken)
    {
        var chunk = ids.Distinct().Where(id => id > erasure.Cursor && id <= erasure.Through).Order().Take(chunkSize + 1).ToList();
        var isLast = chunk.Count <= chunkSize;
        if (!isLast) chunk.RemoveAt(chunkSize);
        var present = chunk.Count == 0 ? [] : await store.FindPresentAsync(erasure.OrganizationNo, chunk, cancellationToken);
        return ((present, isLast ? SetAside : chunk[^1]), isLast);
    }

    private async Task<((IReadOnlyList<EventId> Ids, EventId Cursor) Chunk, bool IsLast)> ByPayloadAsync(
        Erasure erasure, ErasureSelection selection, CancellationToken cancellationToken)
    {
        var no = erasure.OrganizationNo;
        var first = selection.From is { } from ? EventId.LowerBound(from) : default;
        var end = selection.To is { } to ? EventId.LowerBound(to) : SetAside;
        var (after, through) = (erasure.Cursor > first ? erasure.Cursor : first, erasure.Through < end ? erasure.Through : end);
        var events = await store.ScanAsync(no, after, through, selection.Type, chunkSize, cancellationToken);
        if (events.Count > 0) return ((Matching(events, selection), events[^1].Id), false);

        // A type cannot be told of them here: few, and they match all the same or not.
        var aside = await store.ReadQuarantineAsync(no, cancellationToken);
        return ((Matching(aside.Where(one => one.Id >= first && one.Id <= through), selection), SetAside), true);
    }

    private static List<EventId> Matching(IEnumerable<ScannedEvent> events, ErasureSelection selection) =>
        [.. events.Where(one => selection.Matches(one.Payload)).Select(static one => one.Id)];
}
