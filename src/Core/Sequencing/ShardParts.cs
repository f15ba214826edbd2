using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>What a shard works with.</summary>
/// <param name="Store">Where events go.</param>
/// <param name="Notify">Told after each commit.</param>
/// <param name="Time">Clock.</param>
/// <param name="Logger">For what an operator must know.</param>
internal sealed record ShardParts(IEventStore Store, EventsStored Notify, TimeProvider Time, ILogger Logger)
{
    /// <summary>
    /// Called before events are stored that are older than some that another journal has stored: from which on. What is read behind a
    /// cursor may have passed them.
    /// </summary>
    public Func<EventId, CancellationToken, Task> StoredLate { get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>
    /// Called when a recovery begins, and again when it begins anew; what it returns is then called with each event that the journal holds
    /// and the store does not. Its memories are valid only during the call.
    /// </summary>
    public Func<Action<JournaledEvent>> Recovering { get; init; } = static () => static _ => { };

    /// <summary>Called when the shard is claimed, before anything is stored through it.</summary>
    public Func<CancellationToken, Task> Claimed { get; init; } = static _ => Task.CompletedTask;

    /// <summary>
    /// Called when events that a former process left were erased before they could be stored; their memories are valid only during the
    /// call. The journal still holds them.
    /// </summary>
    public Action<IReadOnlyList<LateErased>> ErasedLate { get; init; } = static _ => { };

    /// <summary>Where its loops run.</summary>
    public ILoopHost Host { get; init; } = SystemLoopHost.Instance;

    /// <summary>Whether webhooks wait for an organization's events: those are flushed, and so stored, sooner.</summary>
    public Func<int, bool> IsAwaited { get; init; } = static _ => false;
}
