using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Usage;

/// <summary>
/// Counts the events of a batch by organization and UTC day of acceptance, for the ledger and for usage at once. Not for concurrent use.
/// </summary>
internal sealed class AcceptedCount
{
    private readonly SortedDictionary<(int OrganizationNo, int Day), Sum> _sums = [];
    private (int OrganizationNo, int Day) _last;
    private Sum _run;

    /// <summary>Counts a batch.</summary>
    public static AcceptedCount Of(ReadOnlySpan<JournaledEvent> events)
    {
        var count = new AcceptedCount();
        foreach (ref readonly var item in events) count.Add(item);
        count.Flush();
        return count;
    }

    /// <summary>The ledger's sums, in the order of their keys so that two writers cannot deadlock.</summary>
    public (int[] OrganizationNos, int[] Days, long[] Events) ForLedger() => (
        [.. _sums.Keys.Select(static key => key.OrganizationNo)], [.. _sums.Keys.Select(static key => key.Day)],
        [.. _sums.Values.Select(static sum => sum.Events)]);

    /// <summary>The sums of usage, in the order of their keys.</summary>
    public IReadOnlyList<UsageSum> ForUsage()
    {
        var sums = new List<UsageSum>(_sums.Count);
        foreach (var ((no, day), sum) in _sums)
        {
            sums.Add(new UsageSum(no, day, UsageKind.Accepted, sum.Events, sum.Bytes));
            if (sum.Operational > 0) sums.Add(new UsageSum(no, day, UsageKind.Operational, sum.Operational));
        }

        return sums;
    }

    /// <summary>Events of one organization come in runs, so most cost a comparison.</summary>
    private void Add(in JournaledEvent item)
    {
        var key = (item.OrganizationNo, LedgerCount.DayOf(item.Id));
        if (key != _last) Flush();
        _last = key;
        _run = new Sum(_run.Events + 1, _run.Bytes + item.Payload.Length, _run.Operational + (item.IsOperational ? 1 : 0));
    }

    private void Flush()
    {
        if (_run.Events == 0) return;
        var known = _sums.GetValueOrDefault(_last);
        _sums[_last] = new Sum(known.Events + _run.Events, known.Bytes + _run.Bytes, known.Operational + _run.Operational);
        _run = default;
    }

    private readonly record struct Sum(long Events, long Bytes, long Operational);
}
