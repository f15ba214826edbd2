using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace ZapierTriggers.Core.Events;

/// <summary>Reads UUIDs as they are written (RFC 9562, 4): the framework's reader also takes signs and 0x in place of digits.</summary>
internal static class UuidText
{
    private static readonly SearchValues<char> Characters = SearchValues.Create("0123456789abcdefABCDEF-");

    /// <summary>Reads the 36-character form in either case of letters.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Guid value)
    {
        if (text is not null && !text.AsSpan().ContainsAnyExcept(Characters)) return Guid.TryParseExact(text, "D", out value);
        value = default;
        return false;
    }
}
