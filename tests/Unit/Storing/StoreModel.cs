using System.Collections.Concurrent;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Storing;

/// <summary>
/// An event store in memory that keeps to the words of <see cref="IEventStore"/> about checkpoints and epochs, and can be told to fail.
/// </summary>
internal sealed class StoreModel : IEventStore
{
    private readonly Lock _gate = new();
    private readonly List<TestEvent> _events = [];
    private readonly List<(TestEvent Event, string Reason)> _quarantined = [];
    private readonly Dictionary<Guid, Checkpoint> _checkpoints = [];
    private TaskCompletionSource? _hold;
    private long _epoch;
    private int _unavailable;
    private int _lostReplies;
    private int _appends;

    /// <summary>Events stored, in the order of their commits.</summary>
    public List<TestEvent> Events
    {
        get
        {
            lock (_gate) return [.. _events];
        }
    }

    /// <summary>Rows set aside.</summary>
    public List<(TestEvent Event, string Reason)> Quarantined
    {
        get
        {
            lock (_gate) return [.. _quarantined];
        }
    }

    /// <summary>Calls of <see cref="AppendAsync"/> so far.</summary>
    public int Appends => Volatile.Read(ref _appends);

    /// <summary>Rows that it refuses.</summary>
    public Func<TestEvent, bool> Refuses { get; set; } = _ => false;

    /// <summary>Events that were erased while they were in a journal.</summary>
    public Func<TestEvent, bool> ErasedMeanwhile { get; set; } = _ => false;

    /// <summary>Those that it was told of, in their order.</summary>
    public List<EventId> NotedErased { get; } = [];

    /// <summary>How often it was asked for erased ones.</summary>
    public int ErasureLooks { get; private set; }

    /// <summary>Runs before each claim.</summary>
    public Action? BeforeClaim { get; set; }

    /// <summary>The epoch of the latest claim.</summary>
    public long Epoch => Volatile.Read(ref _epoch);

    /// <summary>Thrown by the next append, once.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Dedup ids that it was asked for.</summary>
    public ConcurrentQueue<string> AskedFor { get; } = new();

    /// <summary>Whether every call fails and does nothing.</summary>
    public bool IsAway { get; set; }

    /// <summary>The next calls fail and do nothing.</summary>
    public void BeUnavailable(int calls) => Volatile.Write(ref _unavailable, calls);

    /// <summary>The next commits happen, but the caller is told that they failed.</summary>
    public void LoseReplies(int calls) => Volatile.Write(ref _lostReplies, calls);

    /// <summary>Commits wait until <see cref="Release"/>.</summary>
    public void Hold() => Volatile.Write(ref _hold, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Commits go on.</summary>
    public void Release() => Interlocked.Exchange(ref _hold, null)?.SetResult();

    /// <inheritdoc/>
    public Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_checkpoints.GetValueOrDefault(journalId));
    }

    /// <inheritdoc/>
    public Task<ShardClaim?> ClaimShardAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken)
    {
        BeforeClaim?.Invoke();
        lock (_gate)
        {
            if (_checkpoints.GetValueOrDefault(journalId) != expected) return Task.FromResult<ShardClaim?>(null);
            var highest = _checkpoints.Values.Select(checkpoint => checkpoint.Id).DefaultIfEmpty().Max();
            return Task.FromResult<ShardClaim?>(new ShardClaim(shard, ++_epoch, journalId, expected, highest));
        }
    }

    /// <summary>Moves a journal's checkpoint, as a commit does that comes late.</summary>
    public void Move(Guid journalId, Checkpoint to)
    {
        lock (_gate) _checkpoints[journalId] = to;
    }

    /// <inheritdoc/>
    public async Task AppendAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _appends);
        if (Volatile.Read(ref _hold) is { } hold) await hold.Task;
        if (Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }

        var rows = new List<TestEvent>();
        foreach (ref readonly var item in events.Span) rows.Add(TestEvent.Of(item));
        Commit(claim, previous, next, () =>
        {
            if (rows.Any(Refuses)) throw new StoreException(StoreFailure.RowRefused, "value out of range", "22003");
            _events.AddRange(rows);
        });
    }

    /// <inheritdoc/>
    public Task QuarantineAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, JournaledEvent refused, string reason, CancellationToken cancellationToken)
    {
        Commit(claim, previous, next, () => _quarantined.Add((TestEvent.Of(refused), reason)));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<DuplicateOf?> FindDuplicateAsync(int organizationNo, string dedupId, EventId notBefore, CancellationToken cancellationToken)
    {
        if (IsAway) throw new StoreException(StoreFailure.Unavailable, "the store is away", "08006");
        AskedFor.Enqueue(dedupId);
        lock (_gate)
        {
            var first = _events.LastOrDefault(
                item => item.OrganizationNo == organizationNo && item.DedupId == dedupId && item.Id >= notBefore);
            return Task.FromResult<DuplicateOf?>(first is null ? null : new DuplicateOf(first.Id, first.ToJournaled().PayloadHash));
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LateErased>> FindErasedAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        ErasureLooks++;
        var found = events.ToArray().Where(item => ErasedMeanwhile(TestEvent.Of(item)));
        return Task.FromResult<IReadOnlyList<LateErased>>([.. found.Select(item => new LateErased(item, LateErasure.OfOrganization(item.OrganizationNo)))]);
    }

    /// <inheritdoc/>
    public Task NoteErasedAsync(Guid journalId, IReadOnlyList<LateErased> erased, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_unavailable > 0)
            {
                _unavailable--;
                throw new StoreException(StoreFailure.Unavailable, "the store is away", "08006");
            }

            NotedErased.AddRange(erased.Select(one => one.Event.Id));
        }

        return Task.CompletedTask;
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

    private void Commit(ShardClaim claim, Checkpoint previous, Checkpoint next, Action write)
    {
        lock (_gate)
        {
            if (IsAway || _unavailable > 0)
            {
                _unavailable = Math.Max(0, _unavailable - 1);
                throw new StoreException(StoreFailure.Unavailable, "the store is away", "08006");
            }

            if (claim.Epoch != _epoch) throw new StoreException(StoreFailure.Fenced, "Another server has taken shard 0 over.");
            var at = _checkpoints.GetValueOrDefault(claim.JournalId);
            if (at != next)
            {
                if (at != previous) throw new StoreException(StoreFailure.Fault, $"the checkpoint is at {at}, not at {previous}");
                write();
                _checkpoints[claim.JournalId] = next;
            }

            if (_lostReplies == 0) return;
            _lostReplies--;
            throw new StoreException(StoreFailure.Unavailable, "the connection was lost", "08006");
        }
    }
}
