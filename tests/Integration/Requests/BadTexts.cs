using System.Text;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>Bodies that are no JSON object in UTF-8, whichever route they are sent to.</summary>
internal static class BadTexts
{
    private static readonly string[] Values =
    [
        "\"\\ud800\"", "\"\\udc00\"", "\"\\udc00\\ud800\"", "\"\\ud800\\ud800\"", "\"\\ud800x\"", "\"\\ud83d\\u0041\"", "\"\\uD8\"",
        "\"\\x41\"", "\"\\'\"", "\"\\u 041\"",
        "\"a\nb\"", "\"a\tb\"", "\"a\0b\"", "\"", "'a'", "01", "+1", ".5", "1.", "1e", "1e+", "-", "--1", "0x1", "1_000", "NaN",
        "Infinity", "-Infinity", "True", "nul", "undefined",
        "[1,]", "[,1]", "[1 2]", "[1", "]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{\"a\":}", "{\"a\" 1}", "/**/1", "1//x", "1 2", "\u00A01",
        "\uFEFF1", "",
    ];

    private static readonly byte[][] NotUtf8 =
    [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
        [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ];

    /// <summary>What is wrong, and the body; <paramref name="route"/> takes its rest.</summary>
    public static IEnumerable<(string What, byte[] Body)> For(JsonRoute route)
    {
        var good = Encoding.UTF8.GetBytes(route.Good);
        foreach (var (name, encoding) in ((string, Encoding)[])[("UTF-16 LE", new UnicodeEncoding(false, true)),
            ("UTF-16 BE", new UnicodeEncoding(true, true)), ("UTF-32", Encoding.UTF32)])
        {
            yield return (name, encoding.GetBytes(route.Good));
            yield return ($"{name} with BOM", [.. encoding.GetPreamble(), .. encoding.GetBytes(route.Good)]);
        }

        yield return ("UTF-8 with BOM", [0xEF, 0xBB, 0xBF, .. good]);
        foreach (var value in Values) yield return ($"value {value}", route.With([.. "\"x\":"u8, .. Encoding.UTF8.GetBytes(value)]));
        foreach (var bytes in NotUtf8)
        {
            yield return ($"bytes {Convert.ToHexString(bytes)} in a value", route.With([.. "\"x\":\""u8, .. bytes, (byte)'"']));
            yield return ($"bytes {Convert.ToHexString(bytes)} in a name", route.With([(byte)'"', .. bytes, .. "\":1"u8]));
        }

        yield return ("lone surrogate in a name", route.With("\"\\ud800\":1"u8));
        foreach (var depth in (int[])[64, 65, 500]) yield return ($"{depth} arrays in the object",
            route.With([.. "\"x\":"u8, .. Nested(depth)]));
        yield return ("500 arrays never closed", route.With([.. "\"x\":"u8, .. Enumerable.Repeat((byte)'[', 500)]));
        foreach (var twin in Twins(route.Good)) yield return ($"twin {twin}", route.With(Encoding.UTF8.GetBytes(twin)));
        foreach (var more in (string[])["x", "{}", ",", "]", "}", "null", "\0", " \v", "//"])
            yield return ($"trailing {more}", [.. good, .. Encoding.UTF8.GetBytes(more)]);
        foreach (var other in (string[])["[]", "\"a\"", "1", "null", "true", "[" + route.Good + "]", "{", " ", "\r\n\t ", "\0",
            "\f" + route.Good, "(" + route.Good + ")"]) yield return ($"other {other}", Encoding.UTF8.GetBytes(other));
        for (var length = 1; length < good.Length; length++) yield return ($"cut off after {length}", good[..length]);
        if (!route.TakesEmptyBody) yield return ("empty", []);
    }

    /// <summary>So many arrays in each other.</summary>
    public static byte[] Nested(int depth) => [.. Enumerable.Repeat((byte)'[', depth), .. Enumerable.Repeat((byte)']', depth)];

    /// <summary>The first member's name again, as it is and spelt with escapes; and two unknown names that are one.</summary>
    private static IEnumerable<string> Twins(string good)
    {
        var name = good[2..good.IndexOf('"', 2)];
        yield return $"\"{name}\":1";
        yield return $"\"\\u{(int)name[0]:x4}{name[1..]}\":1";
        yield return $"\"{name[..^1]}\\u{(int)name[^1]:X4}\":1";
        yield return "\"x\":1,\"\\u0078\":1";
        yield return "\"😀\":1,\"\\ud83d\\ude00\":1";
    }
}
