namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>What an audit found.</summary>
internal sealed class AuditReport
{
    private const int OffendersKept = 10;

    private readonly SortedDictionary<Violation, long> _counts = [];
    private readonly List<Offender> _offenders = [];

    /// <summary>Requests answered 202.</summary>
    public long Accepted { get; internal set; }

    /// <summary>Requests answered 409.</summary>
    public long Duplicates { get; internal set; }

    /// <summary>Requests answered otherwise.</summary>
    public long Refused { get; internal set; }

    /// <summary>Requests without an answer.</summary>
    public long Unanswered { get; internal set; }

    /// <summary>Events stored.</summary>
    public long Stored { get; internal set; }

    /// <summary>Events stored that no 202 named: their answers did not come.</summary>
    public long StoredUnanswered { get; internal set; }

    /// <summary>Deliveries logged, repeats included; null if deliveries were not audited.</summary>
    public long? Deliveries { get; internal set; }

    /// <summary>Events stored that the server itself has told (<see cref="OwnEvents"/>); they are in no other number.</summary>
    public long Operational { get; internal set; }

    /// <summary>Deliveries of these.</summary>
    public long OperationalDeliveries { get; internal set; }

    /// <summary>How many violations of each kind; a kind without any is absent.</summary>
    public IReadOnlyDictionary<Violation, long> Counts => _counts;

    /// <summary>The first few violations.</summary>
    public IReadOnlyList<Offender> Offenders => _offenders;

    /// <summary>Whether every promise was kept.</summary>
    public bool Passed => _counts.Count == 0;

    /// <summary>The process exit code that says so: 0 or 2.</summary>
    public int ExitCode => Passed ? 0 : 2;

    /// <summary>The report as lines of text.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"audit     accepted {Accepted:N0}, duplicates {Duplicates:N0}, refused {Refused:N0}, unanswered {Unanswered:N0}";
        yield return $"          stored {Stored:N0}, of which without an answer {StoredUnanswered:N0}";
        if (Deliveries is { } deliveries) yield return $"          deliveries {deliveries:N0}";
        if (Operational > 0)
        {
            yield return $"          of the server itself {Operational:N0}"
                + (Deliveries is null ? "" : $", delivered {OperationalDeliveries:N0}");
        }

        foreach (var (kind, count) in _counts) yield return $"          {kind}: {count:N0}";
        foreach (var offender in _offenders) yield return $"            {offender}";
        yield return VerdictLine(Passed);
    }

    /// <summary>The last line of whatever is judged.</summary>
    public static string VerdictLine(bool passed) => passed ? "verdict   PASS" : "verdict   FAIL";

    /// <summary>Adds a violation.</summary>
    internal void Add(Offender offender)
    {
        _counts[offender.Kind] = _counts.GetValueOrDefault(offender.Kind) + 1;
        if (_offenders.Count < OffendersKept) _offenders.Add(offender);
    }
}
