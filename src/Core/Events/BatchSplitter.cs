using System.Buffers;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// Finds the items of a batch in place. Only their ends are looked for; what is in them is checked one by one later, so that a bad one is
/// refused alone.
/// </summary>
internal static class BatchSplitter
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],"u8);
    private static readonly SearchValues<byte> StringStops = SearchValues.Create("\"\\"u8);

    /// <summary>Splits a JSON array (RFC 8259) at its own commas.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="most">The most items taken.</param>
    /// <param name="items">Gets where each is, without white space around it.</param>
    public static BatchError SplitArray(ReadOnlySpan<byte> body, int most, List<Range> items)
    {
        if (body.StartsWith("\uFEFF"u8)) return BatchError.ByteOrderMark;
        var at = SkipSpace(body, 0);
        if (at == body.Length) return BatchError.Empty;
        if (body[at] != '[') return BatchError.NotAnArray;
        at = SkipSpace(body, at + 1);
        var isEmpty = at < body.Length && body[at] == ']';
        while (!isEmpty)
        {
            var end = EndOfItem(body, at);
            if (end < 0) return BatchError.Broken;
            if (items.Count == most) return BatchError.TooMany;
            items.Add(Trim(body, at, end));
            at = end;
            if (body[at] == ']') break;
            at = SkipSpace(body, at + 1);
        }

        return SkipSpace(body, at + 1) == body.Length ? BatchError.None : BatchError.Broken;
    }

    /// <summary>Splits lines, one item each (NDJSON); lines with nothing but white space are none. Parameters as above.</summary>
    public static BatchError SplitLines(ReadOnlySpan<byte> body, int most, List<Range> items)
    {
        if (body.StartsWith("\uFEFF"u8)) return BatchError.ByteOrderMark;
        for (var at = 0; at < body.Length;)
        {
            var length = body[at..].IndexOf((byte)'\n');
            var end = length < 0 ? body.Length : at + length;
            var line = Trim(body, at, end);
            at = end + 1;
            if (body[line].IsEmpty) continue;
            if (items.Count == most) return BatchError.TooMany;
            items.Add(line);
        }

        return items.Count == 0 ? BatchError.Empty : BatchError.None;
    }

    /// <summary>Where the comma or the bracket behind an item is; −1 when there is none.</summary>
    private static int EndOfItem(ReadOnlySpan<byte> body, int at)
    {
        for (var depth = 0; ; at++)
        {
            var next = body[at..].IndexOfAny(Structure);
            if (next < 0) return -1;
            at += next;
            switch (body[at])
            {
                case (byte)'"':
                    at = EndOfString(body, at + 1);
                    if (at < 0) return -1;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)',' or (byte)']' when depth <= 0:
                    return at;
                case (byte)'}' or (byte)']':
                    depth--;
                    break;
            }
        }
    }

    /// <summary>Where the closing quote is; −1 when there is none.</summary>
    private static int EndOfString(ReadOnlySpan<byte> body, int at)
    {
        while (at < body.Length)
        {
            var next = body[at..].IndexOfAny(StringStops);
            if (next < 0) return -1;
            at += next;
            if (body[at] == '"') return at;
            at += 2;
        }

        return -1;
    }

    private static int SkipSpace(ReadOnlySpan<byte> body, int at)
    {
        while (at < body.Length && IsSpace(body[at])) at++;
        return at;
    }

    private static Range Trim(ReadOnlySpan<byte> body, int start, int end)
    {
        while (start < end && IsSpace(body[start])) start++;
        while (start < end && IsSpace(body[end - 1])) end--;
        return start..end;
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
}

/// <summary>Why a body is no batch.</summary>
internal enum BatchError
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>There is nothing in it.</summary>
    Empty,

    /// <summary>It begins with a byte order mark, which RFC 8259 (8.1) forbids to send.</summary>
    ByteOrderMark,

    /// <summary>Not an array.</summary>
    NotAnArray,

    /// <summary>The array does not end, or something follows it.</summary>
    Broken,

    /// <summary>More items than are taken at once.</summary>
    TooMany,
}
