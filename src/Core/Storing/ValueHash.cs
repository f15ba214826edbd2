using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// A JSON scalar as hashes, by which it is found again and not read: the first 16 bytes of HMAC-SHA256 in base64, keyed with the id of the
/// erasure that it selects for. A number has three, so that values compare as <see cref="ErasureSelection"/> compares them.
/// </summary>
/// <param name="Written">Of the text, or the number as it is written.</param>
/// <param name="Exact">Of the number as a decimal; empty = it is none.</param>
/// <param name="Rounded">Of the number as a double; empty = it is none.</param>
internal readonly record struct ValueHash(string Written, string Exact, string Rounded)
{
    private const int Length = 16;

    // Dividing by it takes the zeros at the end away, and nothing else.
    private const decimal One = 1.0000000000000000000000000000m;

    /// <summary>The hashes; null for what is no scalar, or no text.</summary>
    public static ValueHash? Of(JsonElement value, Guid erasure)
    {
        return value.ValueKind switch
        {
            JsonValueKind.String => TextOf(value) is { } text ? new ValueHash(Hash("s", text), "", "") : null,
            JsonValueKind.Number => new ValueHash(
                Hash("n", value.GetRawText()),
                value.TryGetDecimal(out var exact) ? Hash("d", Normal(exact).ToString(CultureInfo.InvariantCulture)) : "",
                value.TryGetDouble(out var rounded) && double.IsFinite(rounded)
                    ? Hash("f", BitConverter.DoubleToInt64Bits(rounded == 0 ? 0 : rounded).ToString(CultureInfo.InvariantCulture))
                    : ""),
            JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null => new ValueHash(Hash("l", value.GetRawText()), "", ""),
            _ => null,
        };

        string Hash(string kind, string text) => Convert.ToBase64String(
            HMACSHA256.HashData(erasure.ToByteArray(bigEndian: true), Encoding.UTF8.GetBytes(kind + text)).AsSpan(0, Length));
    }

    /// <summary>Whether both are of the same value, for the same erasure.</summary>
    public bool IsOfSame(ValueHash other)
    {
        if (Written == other.Written) return true;
        if (Exact.Length > 0 && other.Exact.Length > 0) return Exact == other.Exact;
        return Rounded.Length > 0 && Rounded == other.Rounded;
    }

    private static decimal Normal(decimal value) => value == 0 ? 0 : value / One;

    private static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair
        }
    }
}
