using System.Buffers.Text;
using System.Text;

namespace ZapierTriggers.Core.Events;

/// <summary>The escapes in JSON strings (RFC 8259, 7).</summary>
internal static class JsonEscape
{
    private const int UnicodeLength = 6; // backslash, u, four hex digits

    /// <summary>
    /// Bytes of the escape that <paramref name="text"/> begins with: 2, 6, or 12 for a surrogate pair. 0 when it is malformed or cut off,
    /// -1 when it is half of a surrogate pair.
    /// </summary>
    public static int Length(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2) return 0;
        if (text[1] != 'u') return "\"\\/bfnrt"u8.Contains(text[1]) ? 2 : 0;
        var unit = CodeUnit(text);
        if (unit < 0) return 0;
        if (!char.IsSurrogate((char)unit)) return UnicodeLength;
        if (char.IsLowSurrogate((char)unit)) return -1;
        var second = CodeUnit(text[UnicodeLength..]);
        return second >= 0 && char.IsLowSurrogate((char)second) ? 2 * UnicodeLength : -1;
    }

    /// <summary>
    /// Decodes the inside of a valid JSON string to UTF-8. Returns the bytes written, or -1 when <paramref name="destination"/> is too
    /// small.
    /// </summary>
    public static int Decode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var written = 0;
        while (true)
        {
            var plain = text.IndexOf((byte)'\\');
            var run = plain < 0 ? text : text[..plain];
            if (!run.TryCopyTo(destination[written..])) return -1;
            written += run.Length;
            if (plain < 0) return written;

            text = text[plain..];
            if (!Decode(text, out var length).TryEncodeToUtf8(destination[written..], out var bytes)) return -1;
            written += bytes;
            text = text[length..];
        }
    }

    private static Rune Decode(ReadOnlySpan<byte> text, out int length)
    {
        length = Length(text);
        return length switch
        {
            2 => new Rune(text[1] switch
            {
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                var itself => (char)itself,
            }),
            UnicodeLength => new Rune(CodeUnit(text)),
            _ => new Rune((char)CodeUnit(text), (char)CodeUnit(text[UnicodeLength..])),
        };
    }

    /// <summary>
    /// The UTF-16 code unit that an escape of four hex digits stands for at the start of the text; -1 when there is none.
    /// </summary>
    private static int CodeUnit(ReadOnlySpan<byte> text) =>
        text.Length >= UnicodeLength && text[0] == '\\' && text[1] == 'u'
        && Utf8Parser.TryParse(text[2..UnicodeLength], out ushort unit, out var consumed, 'x') && consumed == 4
            ? unit
            : -1;
}
