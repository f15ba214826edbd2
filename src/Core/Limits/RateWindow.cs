using System.Runtime.CompilerServices;

namespace ZapierTriggers.Core.Limits;

/// <summary>
/// Counts events in 13 slots of 5 s: never more than the limit in any 60 s, recovering slot by slot. 13 slots, not 12: the newest is only
/// partly filled, so 12 full ones (60 s) must stand behind it. No lock and no allocation; any number of threads.
/// <para>
/// A take looks, adds, sums the live slots, and takes back if that is over. Of all takes that stay, the one that added last has summed
/// after every other had added, so the sum it saw to be within the limit holds them all: two can never pass on the same room. One that
/// had to take back looks again, so the last of several that were in each other's way still gets the room that is left. A refused take
/// writes nothing.
/// </para>
/// <para>
/// Time in milliseconds comes from the caller: monotonic, from about 0 (<see cref="MonotonicClock"/>; slot numbers have 31 bits, 340
/// years). A time behind the newest slot counts as in that slot.
/// </para>
/// </summary>
internal sealed class RateWindow
{
    /// <summary>Seconds in which never more than the limit is let through.</summary>
    public const int Seconds = (SlotCount - 1) * SlotMilliseconds / 1000;

    // So that a hundred threads adding at once cannot carry from a slot's count into its number: limits are below 2^31, counts have 32
    // bits.
    private const int MostAtOnce = 1 << 20;
    private const int SlotCount = 13;
    private const int SlotMilliseconds = 5_000;

    // Slot number in the upper 32 bits, count in the lower 32, changed together by one compare-and-swap.
    private readonly long[] _slots = new long[SlotCount];
    private long _newest;
    private int _limit;

    /// <summary>Starts empty. <paramref name="limit"/> is events in any 60 s; null = no limit.</summary>
    public RateWindow(int? limit) => SetLimit(limit);

    /// <summary>Events in any 60 s; <see cref="int.MaxValue"/> stands for no limit.</summary>
    public int Limit => Volatile.Read(ref _limit);

    /// <summary>Changes the limit; what was counted stays counted. While there is no limit nothing is counted.</summary>
    public void SetLimit(int? value) => Volatile.Write(ref _limit, value ?? int.MaxValue);

    /// <summary>Takes all <paramref name="count"/> (1 to 2^20) or none.</summary>
    public RateDecision TryTake(int count, long nowMilliseconds)
    {
        var limit = Limit;
        return limit == int.MaxValue ? RateDecision.Unlimited(count) : Take(count, count, limit, nowMilliseconds);
    }

    /// <summary>Takes as many of <paramref name="count"/> (1 to 2^20) as there is room for.</summary>
    public RateDecision TakeUpTo(int count, long nowMilliseconds)
    {
        var limit = Limit;
        return limit == int.MaxValue ? RateDecision.Unlimited(count) : Take(1, count, limit, nowMilliseconds);
    }

    /// <summary>What there is room for at that time; takes nothing.</summary>
    public RateDecision Look(long nowMilliseconds)
    {
        var limit = Limit;
        if (limit == int.MaxValue) return RateDecision.Unlimited(0);
        var slot = Math.Max(nowMilliseconds / SlotMilliseconds, Volatile.Read(ref _newest));
        var live = Sum(slot);
        var reset = live.Count == 0 ? 0 : SecondsLeft(live.Oldest, slot, nowMilliseconds);
        return new RateDecision(0, limit, (int)Math.Max(0, limit - live.Count), reset);
    }

    /// <summary>Whether nothing is counted at that time, so that forgetting the window changes nothing.</summary>
    public bool IsEmpty(long nowMilliseconds) => Sum(nowMilliseconds / SlotMilliseconds).Count == 0;

    private RateDecision Take(int least, int most, int limit, long now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(least, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MostAtOnce);
        while (true)
        {
            var slot = Advance(now / SlotMilliseconds);
            var live = Sum(slot);
            var room = limit - live.Count;
            if (room < least) return new RateDecision(0, limit, (int)Math.Max(0, room), SecondsLeft(live.Oldest, slot, now));

            var count = (int)Math.Min(most, room);
            if (!TryAdd(slot, count)) continue;
            live = Sum(slot);

            // If the window has moved on meanwhile, the sum may lack a slot that was overwritten, and this take belongs to a later one.
            if (live.Count <= limit && Volatile.Read(ref _newest) == slot)
                return new RateDecision(count, limit, (int)(limit - live.Count), SecondsLeft(live.Oldest, slot, now));
            TakeBack(slot, count);
        }
    }

    /// <summary>
    /// The slot to count in: the given one or the newest that any take has used, if that is later. Slots therefore never go back.
    /// </summary>
    private long Advance(long slot)
    {
        var newest = Volatile.Read(ref _newest);
        while (slot > newest)
        {
            var seen = Interlocked.CompareExchange(ref _newest, slot, newest);
            if (seen == newest) return slot;
            newest = seen;
        }

        return newest;
    }

    /// <summary>
    /// What is counted in the 13 slots that end with <paramref name="slot"/>, and the oldest of them that holds anything
    /// (<paramref name="slot"/> if none does).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (long Count, long Oldest) Sum(long slot)
    {
        var count = 0L;
        var oldest = slot;
        foreach (ref var cell in _slots.AsSpan())
        {
            var packed = Volatile.Read(ref cell);
            if ((uint)packed == 0 || packed >> 32 <= slot - SlotCount) continue;
            count += (uint)packed;
            oldest = Math.Min(oldest, packed >> 32);
        }

        return (count, oldest);
    }

    /// <summary>Adds to the slot; false when its place holds a later one.</summary>
    private bool TryAdd(long slot, int count)
    {
        ref var cell = ref _slots[slot % SlotCount];
        var packed = Volatile.Read(ref cell);
        while (packed >> 32 <= slot)
        {
            var changed = (packed >> 32 == slot ? packed : slot << 32) + count;
            var seen = Interlocked.CompareExchange(ref cell, changed, packed);
            if (seen == packed) return true;
            packed = seen;
        }

        return false;
    }

    private void TakeBack(long slot, int count)
    {
        ref var cell = ref _slots[slot % SlotCount];
        var packed = Volatile.Read(ref cell);

        // When its place holds a later slot by now, what was added is gone already.
        while (packed >> 32 == slot)
        {
            var seen = Interlocked.CompareExchange(ref cell, packed - count, packed);
            if (seen == packed) return;
            packed = seen;
        }
    }

    private static int SecondsLeft(long oldest, long slot, long now)
    {
        var leaves = (oldest + SlotCount) * SlotMilliseconds;
        return (int)((leaves - Math.Max(now, slot * SlotMilliseconds) + 999) / 1000);
    }
}
