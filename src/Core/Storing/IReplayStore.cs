using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>What comparing a journal with the store takes; changes nothing. Failures are <see cref="StoreException"/>.</summary>
internal interface IReplayStore
{
    /// <summary>Those of the events that the store has, or has had.</summary>
    Task<KnownEvents> FindKnownAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken);
}

/// <summary>What a store knows of a journal's events.</summary>
/// <param name="There">Those that it has, as rows or in its quarantine.</param>
/// <param name="Removed">Those that it has had: erased and expired ones, and all of organizations that were erased.</param>
internal sealed record KnownEvents(IReadOnlySet<EventId> There, IReadOnlySet<EventId> Removed)
{
    /// <summary>Whether it is one of them.</summary>
    public bool Contains(EventId id) => There.Contains(id) || Removed.Contains(id);
}
