using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// Checks JSON (RFC 8259) in place, without building anything: each method takes a position, reads one thing, and returns the position
/// behind it, or -1 with <see cref="Error"/> and <see cref="ErrorPosition"/> set. The text must be valid UTF-8 already; what is checked
/// here is the grammar, the nesting, and that escapes make whole characters.
/// </summary>
internal ref struct JsonScanner
{
    /// <summary>
    /// The deepest nesting taken, counting the outermost object as 1: one bit each in a word, and what System.Text.Json takes by default.
    /// </summary>
    public const int MaxDepth = 64;

    private static readonly SearchValues<byte> StringStops = SearchValues.Create(
        [.. Enumerable.Range(0, ' ').Select(static b => (byte)b), (byte)'"', (byte)'\\']);

    private static readonly SearchValues<byte> WhiteSpace = SearchValues.Create(" \t\r\n"u8);

    private readonly ReadOnlySpan<byte> _text;

    /// <summary>Will read <paramref name="text"/>, which must be valid UTF-8.</summary>
    public JsonScanner(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>Why the last read failed: malformed, a lone surrogate, or too deep.</summary>
    public EventParseError Error { get; private set; }

    /// <summary>Where it failed.</summary>
    public int ErrorPosition { get; private set; }

    /// <summary>The byte there; 0, which begins nothing in JSON, at the end.</summary>
    public readonly byte Peek(int at) => Peek(_text, at);

    /// <summary>The byte that comes next after white space, and its position; 0 at the end.</summary>
    public readonly byte Next(ref int at) => Next(_text, ref at);

    /// <summary>
    /// Reads a string that begins with the quote at <paramref name="at"/>; returns the position behind its closing quote.
    /// </summary>
    public int SkipString(int at) => SkipString(_text, at);

    /// <summary>
    /// Reads one value of any kind that stands <paramref name="depth"/> containers deep and begins at <paramref name="at"/>.
    /// </summary>
    public int SkipValue(int at, int depth)
    {
        var text = _text; // a local stays in registers
        var outer = depth;
        var objects = 0UL; // one bit per open container, the innermost lowest: 1 = object, 0 = array
        do
        {
            // 1. A value is due. A container's opening is followed by its closing (2.), or by the first of what it holds.
            var first = Peek(text, at);
            if (first == '"')
            {
                at = SkipString(text, at);
                if (at < 0) return -1;
            }
            else if (first is (byte)'{' or (byte)'[')
            {
                if (depth == MaxDepth) return Fail(EventParseError.TooDeep, at);
                depth++;
                objects = (objects << 1) | (first == '{' ? 1UL : 0UL);
                at++;
                if (Next(text, ref at) != first + 2) // in ASCII a bracket or brace closes two behind its opening
                {
                    if (first == '{' && (at = SkipName(text, at)) < 0) return -1;
                    continue;
                }
            }
            else if ((at = SkipNumberOrLiteral(text, first, at)) < 0)
            {
                return -1;
            }

            // 2. A value is complete: close what closes here, up to a comma.
            while (depth > outer)
            {
                var next = Next(text, ref at);
                if (next == ',')
                {
                    at++;
                    Next(text, ref at);
                    if ((objects & 1) != 0 && (at = SkipName(text, at)) < 0) return -1;
                    break;
                }

                if (next != ((objects & 1) != 0 ? '}' : ']')) return Fail(EventParseError.Malformed, at);
                at++;
                depth--;
                objects >>= 1;
            }
        }
        while (depth > outer);
        return at;
    }

    /// <summary>Notes a failure; returns -1.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public int Fail(EventParseError error, int at)
    {
        Error = error;
        ErrorPosition = at;
        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Peek(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length ? text[at] : (byte)0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Next(ReadOnlySpan<byte> text, ref int at)
    {
        var next = Peek(text, at);
        if (next > ' ') return next;
        at = SkipWhiteSpace(text, at);
        return Peek(text, at);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int SkipWhiteSpace(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length) return at;
        if (text[at] == ' ' && Peek(text, at + 1) > ' ') return at + 1;
        var length = text[at..].IndexOfAnyExcept(WhiteSpace);
        return length < 0 ? text.Length : at + length;
    }

    /// <summary>Reads a member's name, the colon and the white space around it: the position of its value.</summary>
    private int SkipName(ReadOnlySpan<byte> text, int at)
    {
        at = SkipString(text, at);
        if (at < 0) return -1;
        if (Next(text, ref at) != ':') return Fail(EventParseError.Malformed, at);
        at++;
        Next(text, ref at);
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SkipString(ReadOnlySpan<byte> text, int at)
    {
        if (Peek(text, at) != '"') return Fail(EventParseError.Malformed, at);
        at = FindStop(text, at + 1);
        return Peek(text, at) == '"' ? at + 1 : SkipRestOfString(text, at);
    }

    /// <summary>Goes on from the first stop in a string that is not its end.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int SkipRestOfString(ReadOnlySpan<byte> text, int at)
    {
        while (Peek(text, at) == '\\')
        {
            var length = JsonEscape.Length(text[at..]);
            if (length <= 0) return Fail(length < 0 ? EventParseError.LoneSurrogate : EventParseError.Malformed, at);
            at = FindStop(text, at + length);
        }

        return Peek(text, at) == '"' ? at + 1 : Fail(EventParseError.Malformed, at);
    }

    /// <summary>
    /// The position of the next quote, backslash or control character, or the end. Most strings end within 16 bytes: one comparison here,
    /// in place of a call that first has to find out how long the rest is.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FindStop(ReadOnlySpan<byte> text, int at)
    {
        if (!Vector128.IsHardwareAccelerated || text.Length - at < Vector128<byte>.Count) return FindFarStop(text, at);
        var bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(text), (nuint)at);
        var stops = Vector128.Equals(bytes, Vector128.Create((byte)'"'))
            | Vector128.Equals(bytes, Vector128.Create((byte)'\\'))
            | Vector128.LessThan(bytes, Vector128.Create((byte)' '));
        var bits = stops.ExtractMostSignificantBits();
        return bits != 0 ? at + BitOperations.TrailingZeroCount(bits) : FindFarStop(text, at + Vector128<byte>.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int FindFarStop(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length) return at;
        var length = text[at..].IndexOfAny(StringStops);
        return length < 0 ? text.Length : at + length;
    }

    private int SkipNumberOrLiteral(ReadOnlySpan<byte> text, byte first, int at) => first switch
    {
        (byte)'t' => SkipLiteral(text, at, "true"u8),
        (byte)'f' => SkipLiteral(text, at, "false"u8),
        (byte)'n' => SkipLiteral(text, at, "null"u8),
        _ => SkipNumber(text, at),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SkipLiteral(ReadOnlySpan<byte> text, int at, ReadOnlySpan<byte> literal) =>
        text[at..].StartsWith(literal) ? at + literal.Length : Fail(EventParseError.Malformed, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SkipNumber(ReadOnlySpan<byte> text, int at)
    {
        if (Peek(text, at) == '-') at++;
        var digits = at;
        at = SkipDigits(text, at);
        if (at == digits || (at > digits + 1 && text[digits] == '0')) return Fail(EventParseError.Malformed, digits);
        if (Peek(text, at) == '.')
        {
            digits = at + 1;
            at = SkipDigits(text, digits);
            if (at == digits) return Fail(EventParseError.Malformed, at);
        }

        if ((Peek(text, at) | 0x20) != 'e') return at;
        digits = at + (Peek(text, at + 1) is (byte)'+' or (byte)'-' ? 2 : 1);
        at = SkipDigits(text, digits);
        return at == digits ? Fail(EventParseError.Malformed, at) : at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SkipDigits(ReadOnlySpan<byte> text, int at)
    {
        while ((uint)(Peek(text, at) - '0') <= 9) at++;
        return at;
    }
}
