using System.Security.Cryptography;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// Issues strictly increasing <see cref="EventId"/>s: <c>ms = max(now, last)</c>, a 12-bit counter within the millisecond, and random bits.
/// When the counter is used up the next millisecond is borrowed (RFC 9562, 6.2), so an id is at most as far ahead of the clock as more than
/// 4,096 events a millisecond have pushed it, and it never goes back when the clock does. Not safe for concurrent use: the sequencer owns
/// it.
/// </summary>
internal sealed class EventIdGenerator
{
    private const ulong Version = 0x7000;
    private const ulong CounterMask = 0xFFF;
    private const ulong Variant = 0x8000_0000_0000_0000;

    private ulong _last;
    private ulong _random;

    /// <summary>Starts behind every id issued before (from the journal and the store).</summary>
    public EventIdGenerator(EventId lastIssued)
    {
        _last = lastIssued.High;
        Span<byte> seed = stackalloc byte[8];
        RandomNumberGenerator.Fill(seed);
        _random = BitConverter.ToUInt64(seed);
    }

    /// <summary>The next id, given the wall clock in Unix milliseconds.</summary>
    public EventId Next(long unixMilliseconds)
    {
        var high = ((ulong)unixMilliseconds << 16) | Version;
        if (high <= _last)
        {
            // Same millisecond, a counter used up, or a clock that went back: continue from the last one issued.
            high = (_last & CounterMask) == CounterMask || (_last & Version) != Version
                ? (((_last >> 16) + 1) << 16) | Version
                : _last + 1;
        }

        _last = high;
        return new EventId(high, Variant | (NextRandom() >> 2));
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): ids need uniqueness across shards, not secrecy.</summary>
    private ulong NextRandom()
    {
        var z = _random += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
