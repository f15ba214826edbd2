using System.Text;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Text in a header's value.</summary>
internal static class HeaderText
{
    /// <summary>
    /// Printable ASCII as it is; text with anything else has every such byte of its UTF-8 form, and every percent sign, percent-encoded
    /// (RFC 3986, 2.1), so that nothing in a header needs guessing at its charset and no line can be broken.
    /// </summary>
    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var encoded = new StringBuilder(text.Length * 3);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (b is >= 0x20 and <= 0x7E and not (byte)'%') encoded.Append((char)b);
            else encoded.Append('%').Append(b.ToString("X2"));
        }

        return encoded.ToString();
    }
}
