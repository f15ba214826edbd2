using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>Appends as a store writer does: in order, each batch from the last checkpoint to the next.</summary>
internal sealed class ShardWriter
{
    private readonly IEventStore _store;

    private ShardWriter(IEventStore store, ShardClaim claim)
    {
        _store = store;
        Claim = claim;
        At = claim.StoredThrough;
    }

    public ShardClaim Claim { get; }

    /// <summary>The checkpoint after the last batch.</summary>
    public Checkpoint At { get; private set; }

    public static async Task<ShardWriter> ClaimAsync(IEventStore store, int shard) =>
        new(store, await ClaimShardAsync(store, shard, Guid.NewGuid()));

    /// <summary>Claims it from wherever its checkpoint is.</summary>
    public static async Task<ShardClaim> ClaimShardAsync(IEventStore store, int shard, Guid journalId)
    {
        var expected = await store.ReadCheckpointAsync(shard, journalId, CancellationToken.None);
        return Assert.NotNull(await store.ClaimShardAsync(shard, journalId, expected, CancellationToken.None));
    }

    /// <summary>The checkpoint that a batch from here on ends at.</summary>
    public Checkpoint After(IReadOnlyList<JournaledEvent> events) => new(events[^1].Id, At.Sequence + events.Count);

    public async Task AppendAsync(params JournaledEvent[] events)
    {
        var next = After(events);
        await _store.AppendAsync(Claim, At, next, events, CancellationToken.None);
        At = next;
    }
}
