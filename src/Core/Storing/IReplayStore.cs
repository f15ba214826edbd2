using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>What comparing a journal with the store takes; changes nothing. Failures are <see cref="StoreException"/>.</summary>
internal interface IReplayStore
{
    /// <summary>Those of the events that the store has, as rows or in its quarantine, or has had: erased and expired ones.</summary>
    Task<IReadOnlySet<EventId>> FindKnownAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken);
}
