using System.Numerics;
using System.Runtime.InteropServices;

namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// Recently used keys by their text, so that SHA-256 (370 ns) is not computed for each request. Direct-mapped: each text has one place, a
/// newcomer replaces who was there. So memory is bounded, and neither reading nor adding takes a lock. Holds valid keys only: nobody
/// without a key can push others out.
/// </summary>
internal sealed class KeyCache
{
    // 16,384 references are 128 KiB; with 1,000 keys in use 6 % of them share a place and pay the hash now and then.
    private const int PlaceBits = 14;

    private readonly Entry?[] _places = new Entry?[1 << PlaceBits];

    /// <summary>The key with this text, or null when it is not held (which says nothing about the key).</summary>
    public ApiKey? Find(ReadOnlySpan<char> text)
    {
        if (text.Length != KeyFormat.Length) return null;
        var entry = Volatile.Read(ref _places[PlaceOf(text)]);

        // Compared in steps of at least eight characters, so the time it takes helps nobody to guess a secret piece by piece.
        return entry is not null && text.SequenceEqual(entry.Text) ? entry.Key : null;
    }

    /// <summary>Remembers a valid key.</summary>
    public void Add(ReadOnlySpan<char> text, ApiKey key) => Volatile.Write(ref _places[PlaceOf(text)], new Entry(text.ToString(), key));

    /// <summary>
    /// The last eight characters (checksum and end of the secret) are as good as random: two words, multiplied to spread them.
    /// </summary>
    private static int PlaceOf(ReadOnlySpan<char> text)
    {
        var words = MemoryMarshal.Cast<char, ulong>(text[^8..]);
        return (int)((words[0] ^ BitOperations.RotateLeft(words[1], 32)) * 0x9E37_79B9_7F4A_7C15 >> (64 - PlaceBits));
    }

    private sealed record Entry(string Text, ApiKey Key);
}
