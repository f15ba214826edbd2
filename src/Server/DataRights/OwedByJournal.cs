using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// What other servers have erased and this one's journal may still hold. It is owed until the journal has been rid of it, whatever fails
/// meanwhile. A try may rewrite segments, so there is a rest after each.
/// </summary>
internal sealed class OwedByJournal(Func<IErasableJournal?> journalNow, TimeProvider time)
{
    /// <summary>From one try to the next: a long erasure comes in many small pieces.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    /// <summary>How long the journal may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly EventId Last = new(ulong.MaxValue, ulong.MaxValue);

    private readonly HashSet<(int OrganizationNo, EventId Id)> _events = [];
    private readonly HashSet<int> _organizations = [];
    private long? _triedAt;

    /// <summary>Owes these events.</summary>
    public void Add(int organizationNo, IEnumerable<EventId> ids)
    {
        foreach (var id in ids) _events.Add((organizationNo, id));
    }

    /// <summary>Owes all of the organization's events.</summary>
    public void AddOrganization(int organizationNo) => _organizations.Add(organizationNo);

    /// <summary>
    /// Erases all that is owed, if it is time to. False when the journal did not in time. Throws what the disk does; in both cases it stays
    /// owed. A server that has lost its shard cannot erase: what it has not stored another one may need from its journal.
    /// </summary>
    public async Task<bool> TryPayAsync(CancellationToken cancellationToken)
    {
        if (_events.Count + _organizations.Count == 0 || journalNow() is not { } journal) return true;
        if (_triedAt is { } tried && time.GetElapsedTime(tried) < Rest) return true;
        var first = journal.FirstHeld;
        _events.RemoveWhere(one => one.Id < first);
        if (_events.Count + _organizations.Count == 0) return true;
        _triedAt = time.GetTimestamp();
        if (!await journal.TryEraseAsync(Frames(), Patience, cancellationToken)) return false;
        _events.Clear();
        _organizations.Clear();
        return true;
    }

    private ErasedFrames Frames() => _organizations.Count == 0
        ? ErasedFrames.Of(_events)
        : new ErasedFrames((no, id) => _organizations.Contains(no) || _events.Contains((no, id)), default, Last);
}
