using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>What must hold at the end of every run, whatever has struck: the promises of the contract, one by one.</summary>
internal static class Invariants
{
    /// <summary>Compares what the producers were told with what the store has; returns the first broken promise.</summary>
    public static string? Check(IReadOnlyList<Sending> sent, SimulatedStore store) =>
        InOrderOnce(store.Events)
        ?? OneADedupId(store.Events)
        ?? NothingForeign(sent, store)
        ?? sent.Select(sending => IsKept(sending, store)).FirstOrDefault(static broken => broken is not null);

    private static string? InOrderOnce(IReadOnlyList<StoredRow> events)
    {
        for (var i = 1; i < events.Count; i++)
        {
            if (events[i].Id <= events[i - 1].Id) return $"{events[i].Id} was stored after {events[i - 1].Id}";
        }

        return null;
    }

    private static string? OneADedupId(IReadOnlyList<StoredRow> events)
    {
        var twin = events.Where(static row => row.DedupId.Length > 0)
            .GroupBy(static row => (row.OrganizationNo, row.DedupId)).FirstOrDefault(static group => group.Count() > 1);
        return twin is null
            ? null
            : $"the dedup id {twin.Key} is there {twin.Count()} times: {string.Join(", ", twin.Select(static row => row.Id))}";
    }

    /// <summary>Every row is one that was sent, byte for byte, at most once, and none that was refused.</summary>
    private static string? NothingForeign(IReadOnlyList<Sending> sent, SimulatedStore store)
    {
        var byHash = sent.ToDictionary(static sending => sending.PayloadHash);
        var seen = new HashSet<ulong>();
        foreach (var row in store.Events.Concat(store.Quarantined))
        {
            if (!byHash.TryGetValue(row.PayloadHash, out var sending) || row != RowOf(sending, row.Id)) return $"{row} was never sent";
            if (!seen.Add(row.PayloadHash)) return $"{row} is there twice";
            if (sending.IsRefused) return $"{row} was refused: nothing should have happened";
            if (sending.Receipt is { Kind: ReceiptKind.Duplicate }) return $"{row} was answered as a duplicate, and is there itself";
            if (sending.Receipt is { Kind: ReceiptKind.Accepted, Id: var id } && id != row.Id) return $"{row} was answered as {id}";
        }

        return null;
    }

    /// <summary>What was answered is there, under the id that was answered.</summary>
    private static string? IsKept(Sending sending, SimulatedStore store)
    {
        if (!sending.IsAnswered || sending.IsExcused) return null;
        var (kind, id, _) = sending.Receipt!.Value;
        var row = store.Events.Concat(store.Quarantined).FirstOrDefault(row => row.Id == id);
        if (row is null) return $"{kind} named {id}, which is lost ({sending})";
        return row.OrganizationNo == sending.OrganizationNo && row.DedupId == sending.DedupId
            ? null
            : $"{kind} named {id}, which is another one";
    }

    private static StoredRow RowOf(Sending sending, EventId id) =>
        new(id, sending.OrganizationNo, sending.Type, sending.DedupId, sending.OrderingKey, sending.PayloadHash, sending.Trace);
}
