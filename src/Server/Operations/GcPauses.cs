namespace ZapierTriggers.Server.Operations;

/// <summary>
/// The longest time that the garbage collector has held the whole process up. The runtime tells the pauses of the latest collections only,
/// so they are looked at after each one, from the finalizer of an object that is made anew for the next. Of two that follow each other
/// before the finalizer's thread has run, the first can be missed. Costs a small object a collection.
/// </summary>
internal static class GcPauses
{
    private static long _longestTicks;
    private static int _isStarted;

    /// <summary>The longest pause seen since <see cref="Start"/>.</summary>
    public static TimeSpan Longest
    {
        get
        {
            Look();
            return new TimeSpan(Volatile.Read(ref _longestTicks));
        }
    }

    /// <summary>Begins to look; again does nothing.</summary>
    public static void Start()
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0) _ = new AfterEach();
    }

    private static void Look()
    {
        foreach (var kind in (ReadOnlySpan<GCKind>)[GCKind.Any, GCKind.Background])
        {
            foreach (var pause in GC.GetGCMemoryInfo(kind).PauseDurations) Note(pause.Ticks);
        }
    }

    private static void Note(long ticks)
    {
        var seen = Volatile.Read(ref _longestTicks);
        while (ticks > seen)
        {
            var before = Interlocked.CompareExchange(ref _longestTicks, ticks, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    /// <summary>Unreachable at once, so the next collection finds it, whatever its generation.</summary>
    private sealed class AfterEach
    {
#pragma warning disable MA0055 // the finalizer is the point: it runs after a collection
        ~AfterEach()
#pragma warning restore MA0055
        {
            if (Environment.HasShutdownStarted) return;
            Look();
            _ = new AfterEach();
        }
    }
}
