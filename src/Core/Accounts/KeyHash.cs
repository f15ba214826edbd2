using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ZapierTriggers.Core.Accounts;

/// <summary>SHA-256 of a key's text as a fixed-size dictionary key, so that a look-up allocates nothing.</summary>
internal readonly record struct KeyHash(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>Hashes a well-formed key (ASCII, <see cref="KeyFormat.Length"/> characters).</summary>
    public static KeyHash Of(ReadOnlySpan<char> key)
    {
        Span<byte> ascii = stackalloc byte[KeyFormat.Length];
        var length = Encoding.ASCII.GetBytes(key, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ascii[..length], hash);
        return FromBytes(hash);
    }

    /// <summary>Takes the 32 bytes of a stored hash.</summary>
    public static KeyHash FromBytes(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != SHA256.HashSizeInBytes) throw new ArgumentException($"A SHA-256 has 32 bytes, not {hash.Length}.", nameof(hash));
        var words = MemoryMarshal.Cast<byte, ulong>(hash);
        return new KeyHash(words[0], words[1], words[2], words[3]);
    }

    /// <summary>The 32 bytes, as stored.</summary>
    public byte[] ToByteArray()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        ReadOnlySpan<ulong> words = [A, B, C, D];
        MemoryMarshal.AsBytes(words).CopyTo(bytes);
        return bytes;
    }

    /// <summary>The first word: SHA-256 is uniform already.</summary>
    public override int GetHashCode() => (int)A;
}
