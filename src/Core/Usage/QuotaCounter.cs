namespace ZapierTriggers.Core.Usage;

/// <summary>
/// How many events of an organization were accepted in the present UTC month: own ones (through this server, exact at any time) and those
/// of other servers on the same database (as last read). Any number of threads; a take is one compare-and-swap, a refused one writes
/// nothing.
/// </summary>
internal sealed class QuotaCounter
{
    private readonly Lock _turn = new();
    private long _endsAt;
    private long _own;
    private long _others;
    private int _flags;

    /// <summary>Own and others' together.</summary>
    public long Used => Volatile.Read(ref _own) + Volatile.Read(ref _others);

    /// <summary>
    /// Takes as many of <paramref name="count"/> as there is room for; 0 = none. Give back with <see cref="GiveBack"/> what was not
    /// accepted.
    /// </summary>
    /// <param name="count">At least 1.</param>
    /// <param name="limit"><see cref="long.MaxValue"/> = none.</param>
    /// <param name="now">Wall clock.</param>
    public int TakeUpTo(int count, long limit, DateTimeOffset now)
    {
        Turn(now);
        var own = Volatile.Read(ref _own);
        while (true)
        {
            var room = limit - own - Volatile.Read(ref _others);
            if (room <= 0) return 0;
            var granted = (int)Math.Min(count, room);
            var seen = Interlocked.CompareExchange(ref _own, own + granted, own);
            if (seen == own) return granted;
            own = seen;
        }
    }

    /// <summary>Whether there is no room at all.</summary>
    public bool IsSpent(long limit, DateTimeOffset now)
    {
        Turn(now);
        return Used >= limit;
    }

    /// <summary>Gives back what was taken for events that were not accepted. Over the month's edge it is forgotten.</summary>
    public void GiveBack(int count, DateTimeOffset now)
    {
        if (count == 0) return;
        Turn(now);

        // Never below what is counted: the turn may have been taken in the month before.
        var own = Volatile.Read(ref _own);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref _own, Math.Max(0, own - count), own);
            if (seen == own) return;
            own = seen;
        }
    }

    /// <summary>Sets both, before anything is taken.</summary>
    public void Load(long own, long others, DateTimeOffset now)
    {
        Turn(now);
        Volatile.Write(ref _own, own);
        Volatile.Write(ref _others, others);
    }

    /// <summary>Sets what other servers have accepted, unless the month that it was read for is over.</summary>
    public void SetOthers(long others, DateTimeOffset month)
    {
        lock (_turn)
        {
            if (_endsAt == month.AddMonths(1).ToUnixTimeMilliseconds()) Volatile.Write(ref _others, others);
        }
    }

    /// <summary>Notes that somebody has asked: others' events are to be read again, and 80 % may be over.</summary>
    public void Note()
    {
        if (Volatile.Read(ref _flags) != 3) Interlocked.Exchange(ref _flags, 3);
    }

    /// <summary>Notes that others' events are to be read again.</summary>
    public void NoteRefresh() => Interlocked.Or(ref _flags, 1);

    /// <summary>Whether it was noted since the last call that others' events are to be read.</summary>
    public bool TakeRefresh() => Volatile.Read(ref _flags) != 0 && (Interlocked.And(ref _flags, ~1) & 1) != 0;

    /// <summary>Whether it was noted since the last call that the organization may have news.</summary>
    public bool TakeNews() => Volatile.Read(ref _flags) != 0 && (Interlocked.And(ref _flags, ~2) & 2) != 0;

    /// <summary>Begins a new month when it has come. A clock that is set back stays in the later one.</summary>
    private void Turn(DateTimeOffset now)
    {
        var at = now.ToUnixTimeMilliseconds();
        if (at < Volatile.Read(ref _endsAt)) return;
        lock (_turn)
        {
            if (at < _endsAt) return;
            Volatile.Write(ref _own, 0);
            Volatile.Write(ref _others, 0);
            Volatile.Write(ref _endsAt, UsageTime.MonthEndOf(now).ToUnixTimeMilliseconds());
        }
    }
}
