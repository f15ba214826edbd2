using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>What a <see cref="JournalReplay"/> found and did.</summary>
internal sealed class ReplayReport
{
    private const int ListedAtMost = 20;

    private readonly List<(int OrganizationNo, EventId Id)> _listed = [];

    /// <summary>Up to where this journal was in the store, as the store said; default = the store knew nothing of it.</summary>
    public Checkpoint Checkpoint { get; init; }

    /// <summary>Where the checkpoint is now.</summary>
    public Checkpoint MovedTo { get; set; }

    /// <summary>Events that the segments hold.</summary>
    public long Retained { get; private set; }

    /// <summary>Id of the first of them; zero = there are none.</summary>
    public EventId First { get; private set; }

    /// <summary>Id of the last of them.</summary>
    public EventId Last { get; private set; }

    /// <summary>Of those, the ones that the store lacks although its checkpoint is past them: no start would store them.</summary>
    public long MissingBefore { get; private set; }

    /// <summary>The ones that it lacks and its checkpoint has not reached: the next start stores them.</summary>
    public long MissingBehind { get; private set; }

    /// <summary>The ones whose payload is damaged.</summary>
    public long Damaged { get; private set; }

    /// <summary>The ones that were erased or have expired: they are not stored again.</summary>
    public long Removed { get; private set; }

    /// <summary>Whether there is a gap in the journal that the checkpoint has not passed.</summary>
    public bool HasGap { get; set; }

    /// <summary>Rows stored.</summary>
    public long Stored { get; set; }

    /// <summary>Rows that the store refused and that are in its quarantine now.</summary>
    public long SetAside { get; set; }

    /// <summary>All that the store lacks.</summary>
    public long Missing => MissingBefore + MissingBehind;

    /// <summary>The first few that are missing.</summary>
    public IReadOnlyList<(int OrganizationNo, EventId Id)> Listed => _listed;

    /// <summary>Counts a piece of the journal.</summary>
    public void Note(ReadOnlySpan<JournaledEvent> events, ReadOnlySpan<JournaledEvent> missing, int removed, int damaged)
    {
        Removed += removed;
        Damaged += damaged;
        Retained += events.Length;
        if (events.Length > 0) (First, Last) = (First.IsZero ? events[0].Id : First, events[^1].Id);
        foreach (ref readonly var item in missing)
        {
            if (item.Id <= Checkpoint.Id) MissingBefore++;
            else MissingBehind++;
            if (_listed.Count < ListedAtMost) _listed.Add((item.OrganizationNo, item.Id));
        }
    }
}
