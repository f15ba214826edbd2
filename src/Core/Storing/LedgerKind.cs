namespace ZapierTriggers.Core.Storing;

/// <summary>What a sum of the ledger counts; the numbers are stored.</summary>
internal enum LedgerKind
{
    /// <summary>Events that were stored or set aside.</summary>
    Accepted = 1,

    /// <summary>Events that retention has removed.</summary>
    Expired = 2,

    /// <summary>Events that were erased by request.</summary>
    Erased = 3,
}

/// <summary>
/// Events counted by organization and UTC day of acceptance. Reused by whoever counts batch after batch; not for concurrent use.
/// </summary>
internal sealed class LedgerCount
{
    private readonly Dictionary<(int OrganizationNo, int Day), long> _sums = [];
    private (int OrganizationNo, int Day) _last;
    private long _run;

    /// <summary>Milliseconds of a day.</summary>
    public const long DayMilliseconds = 24 * 60 * 60 * 1000;

    /// <summary>The day of an id, in days since 1970-01-01.</summary>
    public static int DayOf(EventId id) => (int)(id.UnixMilliseconds / DayMilliseconds);

    /// <summary>Counts one. Events of one organization come in runs, so most cost a comparison.</summary>
    public void Add(int organizationNo, EventId id)
    {
        var key = (organizationNo, DayOf(id));
        if (key != _last) Flush();
        _last = key;
        _run++;
    }

    /// <summary>The sums so far, in the order of their keys so that two writers cannot deadlock; counting begins anew.</summary>
    public (int[] OrganizationNos, int[] Days, long[] Events) Take()
    {
        Flush();
        var keys = new (int OrganizationNo, int Day)[_sums.Count];
        _sums.Keys.CopyTo(keys, 0);
        Array.Sort(keys);
        var sums = (Array.ConvertAll(keys, static key => key.OrganizationNo), Array.ConvertAll(keys, static key => key.Day),
            Array.ConvertAll(keys, key => _sums[key]));
        _sums.Clear();
        return sums;
    }

    private void Flush()
    {
        if (_run > 0) _sums[_last] = _sums.GetValueOrDefault(_last) + _run;
        _run = 0;
    }
}
