using System.Text;

namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>Changes inputs by chance, the same for the same seed.</summary>
internal sealed class Mutation(int seed, IReadOnlyList<byte[]> inputs)
{
    private const int MostChanges = 6;

    private static readonly byte[][] Tokens =
    [
        .. ((string[])[
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "\\udc00", "\\u00", "null", "true", "-0", "1e999", "\"type\":",
            "\"payload\":{}", "\"dedup_id\":",
            "=", "&", "%00", "%", ";", " ", "\n", "\r", "\t", "\0", "\uFEFF", "\u0085", "😀", "9999999999999999999", "-1", "MiB", "ms", ":",
            "//", "@", "[::1]", "127.1", "0x7f.1",
        ]).Select(Encoding.UTF8.GetBytes), [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], new byte[8],
        [0xFF, 0xFF, 0xFF, 0xFF],
    ];

    private readonly Random _random = new(seed);

    /// <summary>One of the inputs, changed in a few places.</summary>
    public byte[] Next()
    {
        var bytes = Any(inputs);
        for (var i = _random.Next(1, MostChanges + 1); i > 0; i--) bytes = Change(bytes);
        return bytes;
    }

    private byte[] Change(byte[] bytes)
    {
        var at = _random.Next(bytes.Length + 1);
        var end = Math.Min(bytes.Length, at + _random.Next(1, 1 << _random.Next(1, 8)));
        switch (_random.Next(8))
        {
            case 0: return [.. bytes[..at], .. Any(Tokens), .. bytes[at..]];
            case 1: return [.. bytes[..at], .. Any(Tokens), .. bytes[end..]];
            case 2: return [.. bytes[..at], .. bytes[end..]];
            case 3: return [.. bytes[..end], .. bytes[at..]];
            case 4: return bytes[..at];
            case 5: return [.. bytes[..at], .. Any(inputs) is var other ? other[_random.Next(other.Length + 1)..] : []];
            default:
                if (at == bytes.Length) return bytes;
                var changed = (byte[])bytes.Clone();
                changed[at] = _random.Next(2) == 0 ? (byte)(changed[at] ^ (1 << _random.Next(8))) : (byte)_random.Next(256);
                return changed;
        }
    }

    private byte[] Any(IReadOnlyList<byte[]> from) => from[_random.Next(from.Count)];
}
