using System.Buffers;

namespace ZapierTriggers.Core.Events;

/// <summary>What the contract asks of the fields of an event; also for fields that come from elsewhere (headers, CloudEvents).</summary>
internal static class EventFieldRules
{
    // Control characters are the bytes below 0x20, 0x7F, and in UTF-8 0xC2 followed by 0x80 to 0x9F.
    private static readonly SearchValues<byte> ControlStarts = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(b => (byte)b), 0x7F, 0xC2]);

    /// <summary>
    /// Whether the text, valid UTF-8, has over <see cref="EventParser.MaxFieldCharacters"/> characters (Unicode code points).
    /// </summary>
    public static bool IsTooLong(ReadOnlySpan<byte> text)
    {
        if (text.Length <= EventParser.MaxFieldCharacters) return false;
        if (text.Length > EventParser.MaxFieldBytes) return true;
        var characters = 0;
        foreach (var b in text)
        {
            if ((b & 0xC0) != 0x80) characters++; // not a continuation byte
        }

        return characters > EventParser.MaxFieldCharacters;
    }

    /// <summary>Whether the text, valid UTF-8, holds one of U+0000–U+001F and U+007F–U+009F.</summary>
    public static bool HasControlCharacter(ReadOnlySpan<byte> text)
    {
        while (true)
        {
            var at = text.IndexOfAny(ControlStarts);
            if (at < 0) return false;
            if (text[at] != 0xC2 || text[at + 1] < 0xA0) return true;
            text = text[(at + 2)..];
        }
    }

    /// <summary>The rules of <c>type</c>.</summary>
    public static EventParseError CheckType(ReadOnlySpan<byte> type) =>
        type.IsEmpty ? EventParseError.TypeEmpty
        : IsTooLong(type) ? EventParseError.TypeTooLong
        : HasControlCharacter(type) ? EventParseError.TypeHasControlCharacter
        : EventParseError.None;

    /// <summary>The rules of <c>dedup_id</c>.</summary>
    public static EventParseError CheckDedupId(ReadOnlySpan<byte> dedupId) =>
        IsTooLong(dedupId) ? EventParseError.DedupIdTooLong
        : dedupId.Contains((byte)0) ? EventParseError.DedupIdHasNul
        : EventParseError.None;

    /// <summary>The rules of <c>ordering_key</c>.</summary>
    public static EventParseError CheckOrderingKey(ReadOnlySpan<byte> orderingKey) =>
        IsTooLong(orderingKey) ? EventParseError.OrderingKeyTooLong
        : orderingKey.Contains((byte)0) ? EventParseError.OrderingKeyHasNul
        : EventParseError.None;
}
