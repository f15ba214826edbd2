using System.IO.Hashing;
using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>An event as the store has it. The payload by its hash.</summary>
internal sealed record StoredRow(
    EventId Id, int OrganizationNo, string Type, string DedupId, string OrderingKey, ulong PayloadHash, TraceParent Trace)
{
    public static StoredRow Of(in JournaledEvent item) => new(
        item.Id,
        item.OrganizationNo,
        Encoding.UTF8.GetString(item.Type.Span),
        Encoding.UTF8.GetString(item.DedupId.Span),
        Encoding.UTF8.GetString(item.OrderingKey.Span),
        XxHash3.HashToUInt64(item.Payload.Span),
        item.TraceParent);
}

/// <summary>
/// A database on another machine: it keeps to the words of <see cref="IEventStore"/> about checkpoints and epochs, goes on when our process
/// dies (what was sent to it may be committed later), and can be set back to an older state, as by a failover that lost commits.
/// </summary>
internal sealed class SimulatedStore(Random random)
{
    private readonly List<Action> _underWay = [];
    private State _state = new([], [], [], new DeliveryTables(), 0);
    private State _older = new([], [], [], new DeliveryTables(), 0);

    /// <summary>Events, in the order of their commits.</summary>
    public IReadOnlyList<StoredRow> Events => _state.Events;

    /// <summary>Rows set aside.</summary>
    public IReadOnlyList<StoredRow> Quarantined => _state.Quarantined;

    /// <summary>What it knows of deliveries.</summary>
    public DeliveryTables Deliveries => _state.Deliveries;

    /// <summary>How often it was set back.</summary>
    public int SetBacks { get; private set; }

    /// <summary>Remembers this state as the one to which it may be set back.</summary>
    public void Remember() => _older = _state.Copy();

    /// <summary>Loses all commits since <see cref="Remember"/>, and what is under way.</summary>
    public void SetBack()
    {
        _state = _older.Copy();
        _underWay.Clear();
        SetBacks++;
    }

    /// <summary>Takes a commit that is on its way; it is executed by its sender, or some time after that one has died.</summary>
    public void Send(Action commit) => _underWay.Add(commit);

    /// <summary>Executes a commit that arrived; false when it was executed or lost before.</summary>
    public bool TryArrive(Action commit) => _underWay.Remove(commit);

    /// <summary>The sender of what is under way has died: each is lost, executed now, or later by <see cref="ArriveLate"/>.</summary>
    public void LoseSender()
    {
        foreach (var commit in _underWay.ToList())
        {
            if (random.Next(3) == 0) continue;
            _underWay.Remove(commit);
            if (random.Next(2) == 0) Execute(commit);
        }
    }

    /// <summary>Something that a dead process sent arrives. Not for what the living one waits for.</summary>
    public void ArriveLate(IReadOnlySet<Action> living)
    {
        if (_underWay.Find(commit => !living.Contains(commit)) is not { } late) return;
        _underWay.Remove(late);
        Execute(late);
    }

    public Checkpoint CheckpointOf(Guid journalId) => _state.Checkpoints.GetValueOrDefault(journalId);

    public ShardClaim? Claim(int shard, Guid journalId, Checkpoint expected)
    {
        if (CheckpointOf(journalId) != expected) return null;
        var highest = _state.Checkpoints.Values.Select(checkpoint => checkpoint.Id).DefaultIfEmpty().Max();
        return new ShardClaim(shard, ++_state.Epoch, journalId, expected, highest);
    }

    public void Append(ShardClaim claim, Checkpoint previous, Checkpoint next, StoredRow[] rows)
    {
        if (rows.Any(row => row.Type == "refused")) throw new StoreException(StoreFailure.RowRefused, "value out of range", "22003");
        if (TryMoveCheckpoint(claim, previous, next)) _state.Events.AddRange(rows);
    }

    public void Quarantine(ShardClaim claim, Checkpoint previous, Checkpoint next, StoredRow row)
    {
        if (TryMoveCheckpoint(claim, previous, next)) _state.Quarantined.Add(row);
    }

    public StoredRow? Find(int organizationNo, string dedupId, EventId notBefore) =>
        _state.Events.FindLast(row => row.OrganizationNo == organizationNo && row.DedupId == dedupId && row.Id >= notBefore);

    private static void Execute(Action commit)
    {
        try
        {
            commit();
        }
        catch (StoreException)
        {
            // Nobody is there to be told.
        }
    }

    private bool TryMoveCheckpoint(ShardClaim claim, Checkpoint previous, Checkpoint next)
    {
        if (claim.Epoch != _state.Epoch) throw new StoreException(StoreFailure.Fenced, "Another server has taken shard 0 over.");
        var at = _state.Checkpoints.GetValueOrDefault(claim.JournalId);
        if (at == next) return false;
        if (at != previous) throw new StoreException(StoreFailure.Fault, $"the checkpoint is at {at}, not at {previous}");
        _state.Checkpoints[claim.JournalId] = next;
        return true;
    }

    private sealed record State(
        List<StoredRow> Events, List<StoredRow> Quarantined, Dictionary<Guid, Checkpoint> Checkpoints, DeliveryTables Deliveries,
        long Epoch)
    {
        public long Epoch { get; set; } = Epoch;

        public State Copy() => new([.. Events], [.. Quarantined], new Dictionary<Guid, Checkpoint>(Checkpoints), Deliveries.Copy(), Epoch);
    }
}
