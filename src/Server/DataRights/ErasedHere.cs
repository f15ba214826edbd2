using System.Collections.Concurrent;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// The erasures that this process alone has carried out so far: memory and journal are rid of their events, so
/// <see cref="ErasureWatch"/> need not read them. One of which another server has done a chunk is none of them. Any thread.
/// </summary>
internal sealed class ErasedHere
{
    private readonly ConcurrentDictionary<Guid, Progress> _known = new();

    /// <summary>A chunk is about to be removed; before it is, since others see it then.</summary>
    public void Moving(Guid id, EventId from, EventId to)
    {
        if (from.IsZero) _known[id] = new Progress(to, IsJournalErased: false);
        else if (_known.TryGetValue(id, out var known) && known.Through == from) _known[id] = known with { Through = to };
        else Forget(id);
    }

    /// <summary>Another server was faster.</summary>
    public void Forget(Guid id) => _known.TryRemove(id, out _);

    /// <summary>The journal is rid of its events; before the erasure's end is noted.</summary>
    public void JournalErased(Guid id)
    {
        if (_known.TryGetValue(id, out var known)) _known[id] = known with { IsJournalErased = true };
    }

    /// <summary>Whether all that it has erased was erased here, and will be erased from the journal by whoever did that.</summary>
    public bool Covers(ErasureElsewhere erasure) =>
        _known.TryGetValue(erasure.Id, out var known) && erasure.Cursor <= known.Through
        && (erasure.FinishedAt is null || known.IsJournalErased);

    /// <summary>Forgets all others.</summary>
    public void Keep(IReadOnlySet<Guid> ids)
    {
        foreach (var id in _known.Keys)
            if (!ids.Contains(id)) Forget(id);
    }

    private readonly record struct Progress(EventId Through, bool IsJournalErased);
}
