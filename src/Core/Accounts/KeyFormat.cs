using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// The text form of an API key, 66 characters:
/// <code>
/// zap_live_ | zap_test_   9  kind
/// 3xK9aP0q                8  route: the same for all keys of an organization
/// …                      43  secret: uniform characters, 62^43 > 2^256
/// …                       6  CRC-32 (the IEEE one, of zip) of the 60 ASCII bytes before it
/// </code>
/// All but the kind is base62 with the alphabet <c>0-9A-Za-z</c> (digit, upper, lower; <c>0</c> is zero). The checksum is a number of
/// fixed width, most significant digit first, padded with <c>0</c> (62^6 > 2^32). A CRC-32 finds every change within 32 neighbouring
/// bits, so every change of one character.
/// </summary>
internal static class KeyFormat
{
    /// <summary>Characters of a key.</summary>
    public const int Length = BodyLength + ChecksumLength;

    /// <summary>Characters of the route.</summary>
    public const int RouteLength = 8;

    /// <summary>Characters that may be shown of a key: kind and route.</summary>
    public const int PrefixLength = KindLength + RouteLength;

    private const int KindLength = 9;
    private const int SecretLength = 43;
    private const int ChecksumLength = 6;
    private const int BodyLength = PrefixLength + SecretLength;
    private const string Live = "zap_live_";
    private const string Test = "zap_test_";
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Base62 = SearchValues.Create(Alphabet);

    /// <summary>Draws a new organization's route.</summary>
    public static string NewRoute() => RandomNumberGenerator.GetString(Alphabet, RouteLength);

    /// <summary>Draws a new key of the organization with that route.</summary>
    public static string NewKey(bool live, string route)
    {
        if (route.Length != RouteLength)
            throw new ArgumentException($"A route has {RouteLength} characters, not {route.Length}.", nameof(route));
        Span<char> key = stackalloc char[Length];
        (live ? Live : Test).CopyTo(key);
        route.CopyTo(key[KindLength..]);
        RandomNumberGenerator.GetItems(Alphabet, key.Slice(PrefixLength, SecretLength));
        WriteChecksum(key[..BodyLength], key[BodyLength..]);
        return new string(key);
    }

    /// <summary>Whether the text has the form of a key and its checksum is right. Arithmetic only: no allocation, no look-up.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        if (text.Length != Length) return false;
        if (!text.StartsWith(Live) && !text.StartsWith(Test)) return false;
        if (text[KindLength..].ContainsAnyExcept(Base62)) return false;

        Span<char> checksum = stackalloc char[ChecksumLength];
        WriteChecksum(text[..BodyLength], checksum);
        return text[BodyLength..].SequenceEqual(checksum);
    }

    /// <summary>Whether a well-formed key (or the prefix shown of it) is for production use, not for tests.</summary>
    public static bool IsLive(ReadOnlySpan<char> keyOrPrefix) => keyOrPrefix.StartsWith(Live);

    /// <summary>What may be shown of a key.</summary>
    public static string PrefixOf(string key) => key[..PrefixLength];

    private static void WriteChecksum(ReadOnlySpan<char> body, Span<char> destination)
    {
        Span<byte> ascii = stackalloc byte[BodyLength];
        Encoding.ASCII.GetBytes(body, ascii);
        var rest = Crc32.HashToUInt32(ascii);
        for (var i = ChecksumLength - 1; i >= 0; i--)
        {
            (rest, var digit) = Math.DivRem(rest, (uint)Alphabet.Length);
            destination[i] = Alphabet[(int)digit];
        }
    }
}
