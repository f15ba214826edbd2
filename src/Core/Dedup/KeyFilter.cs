using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// A Bloom filter of dedup keys: what it does not hold was never added; what was not added it claims to hold once in some 800 times, when
/// it is full. One writer adds; any thread asks, and sees at least what was added before it learned of that.
/// </summary>
/// <remarks>
/// A key sets one bit in each of the eight 32-bit lanes of one 32-byte block, so that a question reads one cache line: a split block Bloom
/// filter (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007). The lanes' bits come from multiplying by odd
/// constants, the upper five bits of the products (Dietzfelbinger, "A reliable randomized algorithm for the closest-pair problem", 1997).
/// </remarks>
internal sealed class KeyFilter
{
    /// <summary>Bits for a key; sixteen make a wrong claim one in 800.</summary>
    public const int BitsPerKey = 16;

    private const int BlockBits = 256;

    // Odd, and without a pattern: the fractions of the square roots of the first eight primes, as SHA-256 begins with them, made odd.
    private static readonly Vector256<uint> Multipliers = Vector256.Create(
        0x6A09_E667u, 0xBB67_AE85u, 0x3C6E_F373u, 0xA54F_F53Bu, 0x510E_527Fu, 0x9B05_688Du, 0x1F83_D9ABu, 0x5BE0_CD19u);

    private readonly Vector256<uint>[] _blocks;

    /// <summary>Makes an empty one for so many keys.</summary>
    public KeyFilter(int capacity)
    {
        Capacity = capacity;
        _blocks = new Vector256<uint>[BytesFor(capacity) / Vector256<byte>.Count];
    }

    /// <summary>
    /// Makes one that was written away: for so many keys, of which it holds so many. <see cref="Blocks"/> is to be filled.
    /// </summary>
    public KeyFilter(int capacity, int count)
        : this(capacity) => Count = count;

    /// <summary>Keys that it is made for.</summary>
    public int Capacity { get; }

    /// <summary>Keys added.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of its blocks.</summary>
    public long Bytes => (long)_blocks.Length * Vector256<byte>.Count;

    /// <summary>Its blocks, in the machine's byte order: to be written away, or filled from there before it is used.</summary>
    public Span<byte> Blocks => MemoryMarshal.AsBytes(_blocks.AsSpan());

    /// <summary>Bytes of the blocks for so many keys.</summary>
    public static long BytesFor(int capacity) =>
        Math.Max(1, (((long)capacity * BitsPerKey) + BlockBits - 1) / BlockBits) * Vector256<byte>.Count;

    /// <summary>Adds a key. The writer only.</summary>
    public void Add(DedupKey key)
    {
        ref var block = ref _blocks[BlockOf(key)];
        block |= BitsOf(key);
        Count++;
    }

    /// <summary>False when the key was certainly not added.</summary>
    public bool MayHold(DedupKey key)
    {
        var bits = BitsOf(key);
        return (_blocks[BlockOf(key)] & bits) == bits;
    }

    private long BlockOf(DedupKey key) => (long)Math.BigMul(key.High, (ulong)_blocks.Length, out _);

    private static Vector256<uint> BitsOf(DedupKey key)
    {
        var positions = Vector256.ShiftRightLogical(Vector256.Create((uint)key.Low) * Multipliers, 27);
        return Vector256.Create(
            1u << (int)positions[0], 1u << (int)positions[1], 1u << (int)positions[2], 1u << (int)positions[3],
            1u << (int)positions[4], 1u << (int)positions[5], 1u << (int)positions[6], 1u << (int)positions[7]);
    }
}
