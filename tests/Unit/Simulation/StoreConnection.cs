using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>One process's way to the store: slow at times, cut at times before a commit and at times after it.</summary>
internal sealed class StoreConnection(Life life, SimulatedStore store) : IEventStore
{
    private readonly HashSet<Action> _waited = [];

    /// <summary>Something from a process that has died arrives now.</summary>
    public void ArriveLate() => store.ArriveLate(_waited);

    /// <inheritdoc/>
    public async Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken)
    {
        await AskAsync();
        var checkpoint = store.CheckpointOf(journalId);
        await life.TravelAsync();
        return checkpoint;
    }

    /// <inheritdoc/>
    public async Task<ShardClaim?> ClaimShardAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken)
    {
        ShardClaim? claim = null;
        if (life.Fails(FaultKind.StoreAway)) throw Away();
        await life.TravelAsync();
        // one that arrives after its sender's death would fence the next one out
        life.Effect("claim", "shard", () => claim = store.Claim(shard, journalId, expected));
        return claim;
    }

    /// <inheritdoc/>
    public Task AppendAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        var rows = new StoredRow[events.Length];
        for (var i = 0; i < rows.Length; i++) rows[i] = StoredRow.Of(events.Span[i]);
        return CommitAsync(() => store.Append(claim, previous, next, rows));
    }

    /// <inheritdoc/>
    public Task QuarantineAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, JournaledEvent refused, string reason, CancellationToken cancellationToken)
    {
        var row = StoredRow.Of(refused);
        return CommitAsync(() => store.Quarantine(claim, previous, next, row));
    }

    /// <inheritdoc/>
    public async Task<DuplicateOf?> FindDuplicateAsync(
        int organizationNo, string dedupId, EventId notBefore, CancellationToken cancellationToken)
    {
        await life.TravelAsync();
        if (life.Fails(FaultKind.StoreAway)) throw Away();
        var first = store.Find(organizationNo, dedupId, notBefore);
        await life.TravelAsync();
        return first is null ? null : new DuplicateOf(first.Id, first.PayloadHash);
    }

    /// <inheritdoc/>
    public Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<InboxPage> ReadInboxAsync(InboxQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<EventDetail?> FindEventAsync(int organizationNo, EventId id, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<Acknowledgements> AcknowledgeAsync(
        int organizationNo, IReadOnlyList<EventId> ids, DateTimeOffset at, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public Task ProbeAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static StoreException Away() => new(StoreFailure.Unavailable, "Simulated: the store is away.", "08006");

    /// <summary>A question on its way; throws when the store is away.</summary>
    public async Task AskAsync()
    {
        await life.TravelAsync();
        if (life.Fails(FaultKind.StoreAway)) throw Away();
    }

    /// <summary>One transaction: it happens or not, and the answer comes or not.</summary>
    public async Task CommitAsync(Action commit)
    {
        if (life.Fails(FaultKind.StoreAway)) throw Away();
        store.Send(commit);
        _waited.Add(commit);
        await life.TravelAsync();
        if (store.TryArrive(commit)) life.Effect("commit", "store", commit);
        if (life.Fails(FaultKind.ReplyLost)) throw Away();
        await life.TravelAsync();
    }
}
