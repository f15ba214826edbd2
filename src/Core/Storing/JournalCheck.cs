using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// Holds the journal of a stopped server, its store and its ledger against each other; changes nothing. Each event of the journal that the
/// checkpoint has passed must be stored, set aside (in the quarantine or a file), expired or erased; ids must grow with sequences; and the
/// ledger's sums must equal what is there.
/// </summary>
/// <param name="journal">What the segments hold.</param>
/// <param name="directory">Where files of refused events may be.</param>
/// <param name="store">The checkpoint.</param>
/// <param name="replays">Which events the store knows.</param>
/// <param name="ledger">The sums.</param>
internal sealed class JournalCheck(
    RetainedJournal journal, DataDirectory directory, IEventStore store, IReplayStore replays, ILedgerStore ledger)
{
    private const int MostDifferences = 20;

    /// <summary>Checks; <paramref name="progress"/> is told from time to time how many events of the journal were looked at.</summary>
    public async Task<CheckReport> RunAsync(Action<long> progress, CancellationToken cancellationToken)
    {
        var checkpoint = await store.ReadCheckpointAsync(0, directory.JournalId, cancellationToken);
        var report = new CheckReport { Checkpoint = checkpoint };
        foreach (var piece in journal.Read(new JournalBatch()))
        {
            var events = piece.Batch.Events;
            var known = await replays.FindKnownAsync(events, cancellationToken);
            report.Damaged += piece.Damaged;
            foreach (var item in events.ToArray()) Note(report, item, known.Contains(item.Id));
            progress(report.Journaled);
        }

        report.OutOfOrder = journal.OutOfOrder;
        report.Differences = await ledger.FindDifferencesAsync(MostDifferences, cancellationToken);
        report.Orphans = await ledger.FindOrphansAsync(cancellationToken);
        return report;
    }

    private void Note(CheckReport report, in JournaledEvent item, bool isKnown)
    {
        report.Journaled++;
        if (isKnown) report.Stored++;
        else if (item.Id > report.Checkpoint.Id) report.Waiting++;
        else if (directory.Disk.Exists(RefusedEvents.PathOf(directory, item.Id))) report.Stored++;
        else report.Miss(item.OrganizationNo, item.Id);
    }
}

/// <summary>What a <see cref="JournalCheck"/> found.</summary>
internal sealed class CheckReport
{
    private const int MostListed = 20;

    private readonly List<(int OrganizationNo, EventId Id)> _missing = [];

    /// <summary>Up to where the journal is in the store, as the store says.</summary>
    public Checkpoint Checkpoint { get; init; }

    /// <summary>Events that the segments hold, but for erased ones.</summary>
    public long Journaled { get; set; }

    /// <summary>Of those, the ones that the store has, or has had.</summary>
    public long Stored { get; set; }

    /// <summary>The ones that the checkpoint has not reached: the next start stores them.</summary>
    public long Waiting { get; set; }

    /// <summary>The ones that the checkpoint has passed and that are nowhere.</summary>
    public long Missing { get; private set; }

    /// <summary>The first few of them.</summary>
    public IReadOnlyList<(int OrganizationNo, EventId Id)> Listed => _missing;

    /// <summary>Frames whose payload cannot be read.</summary>
    public long Damaged { get; set; }

    /// <summary>Frames with a greater sequence and no greater id than one before them.</summary>
    public long OutOfOrder { get; set; }

    /// <summary>Days that do not add up.</summary>
    public IReadOnlyList<LedgerDifference> Differences { get; set; } = [];

    /// <summary>Rows that hang on no event: told, but nothing is lost by them.</summary>
    public IReadOnlyList<(string Table, long Rows)> Orphans { get; set; } = [];

    /// <summary>Whether all is as it must be.</summary>
    public bool Passed => Missing == 0 && OutOfOrder == 0 && Differences.Count == 0;

    /// <summary>Notes a missing event.</summary>
    public void Miss(int organizationNo, EventId id)
    {
        Missing++;
        if (_missing.Count < MostListed) _missing.Add((organizationNo, id));
    }
}
