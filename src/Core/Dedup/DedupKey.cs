using System.IO.Hashing;

namespace ZapierTriggers.Core.Dedup;

/// <summary>
/// An organization's dedup id as 128 bits: XxHash128 of the id's UTF-8, seeded with the data directory's secret and the organization's
/// number. Two ids of 5 million have the same key with a chance of 10^-25, and nobody without the secret can search for such a pair, or
/// aim at another tenant's ids.
/// </summary>
internal readonly struct DedupKey : IEquatable<DedupKey>
{
    // Odd, so that the product is different for every organization: 2^64 divided by the golden ratio.
    private const ulong OrganizationSpread = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Creates a key from its two words.</summary>
    public DedupKey(ulong high, ulong low)
    {
        High = high;
        Low = low;
    }

    /// <summary>The upper 64 bits.</summary>
    public ulong High { get; }

    /// <summary>The lower 64 bits.</summary>
    public ulong Low { get; }

    /// <summary>The key of a dedup id, given as UTF-8.</summary>
    public static DedupKey Of(ReadOnlySpan<byte> dedupId, int organizationNo, ulong secret)
    {
        var hash = XxHash128.HashToUInt128(dedupId, (long)(secret ^ ((ulong)(uint)organizationNo * OrganizationSpread)));
        return new DedupKey((ulong)(hash >> 64), (ulong)hash);
    }

    /// <inheritdoc/>
    public bool Equals(DedupKey other) => High == other.High && Low == other.Low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is DedupKey other && Equals(other);

    /// <summary>The lowest bits: they are a hash already.</summary>
    public override int GetHashCode() => (int)Low;
}
