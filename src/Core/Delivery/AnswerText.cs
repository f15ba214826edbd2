using System.Globalization;
using System.Text;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Makes a receiver's answer safe to keep and to show.</summary>
internal static class AnswerText
{
    /// <summary>Bytes of an answer that are kept.</summary>
    public const int MaxBytes = 4096;

    /// <summary>
    /// The bytes as text: UTF-8 decoded, and everything that does not print (controls but tab and line feed, direction marks and other
    /// formats, unassigned code points) and every invalid byte as U+FFFD. A character that was cut off at the end is left out. Null when
    /// nothing is left.
    /// </summary>
    public static string? Sanitise(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var consumed);
            if (status == System.Buffers.OperationStatus.NeedMoreData) break;
            bytes = bytes[consumed..];
            if (rune.Value == '\r') continue;
            text.Append(Prints(rune) ? rune.ToString() : "\uFFFD");
        }

        return text.Length == 0 ? null : text.ToString();
    }

    private static bool Prints(Rune rune) => rune.Value is '\n' or '\t' || Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
