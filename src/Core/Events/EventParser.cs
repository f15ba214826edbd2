using System.Text;
using System.Text.Unicode;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// Reads the body of an event request in place: finds the payload's bytes and decodes the three text fields, without allocating, without
/// exceptions. The whole body is checked against RFC 8259, because the payload is embedded as it is in other JSON later.
/// </summary>
internal static class EventParser
{
    /// <summary>The most characters (Unicode code points) in a type, dedup id or ordering key.</summary>
    public const int MaxFieldCharacters = EventLimits.MaxTextCharacters;

    /// <summary>The most bytes they can take: UTF-8 has up to 4 a character.</summary>
    public const int MaxFieldBytes = MaxFieldCharacters * 4;

    /// <summary>Bytes of the scratch buffer: three fields sent with escapes.</summary>
    public const int ScratchLength = 3 * MaxFieldBytes;

    /// <summary>
    /// Parses <paramref name="body"/>. On <see cref="EventParseError.None"/> all fields are set; they refer to the body and to <paramref
    /// name="scratch"/> (at least <see cref="ScratchLength"/> bytes, need not be cleared). Otherwise only <see
    /// cref="EventFields.ErrorPosition"/> means something. Invalid JSON goes before missing fields, and those before field errors, in the
    /// order type, payload, dedup_id, ordering_key.
    /// </summary>
    public static EventParseError Parse(ReadOnlySpan<byte> body, ref EventFields fields, Span<byte> scratch)
    {
        fields = default;
        if (body.StartsWith("\uFEFF"u8)) return EventParseError.ByteOrderMark;
        if (!Utf8.IsValid(body))
        {
            fields.ErrorPosition = FirstInvalidByte(body);
            return EventParseError.InvalidUtf8;
        }

        Span<JsonMember> members = stackalloc JsonMember[EventMembers.Count];
        members.Clear();
        var error = EventMembers.Read(body, members, out fields.ErrorPosition);
        return error == EventParseError.None ? TakeFields(body, members, ref fields, scratch) : error;
    }

    private static EventParseError TakeFields(
        ReadOnlySpan<byte> body, ReadOnlySpan<JsonMember> members, ref EventFields fields, Span<byte> scratch)
    {
        var type = members[EventMembers.Type];
        var hasPayload = members[EventMembers.Payload].Length > 0;
        var payload = hasPayload ? members[EventMembers.Payload] : members[EventMembers.Data];
        if (type.Length == 0 || payload.Length == 0) return EventParseError.MissingFields;

        if (body[type.Offset] != '"') return EventParseError.TypeNotString;
        if (!TryDecode(body, type, scratch, 0, out fields.Type)) return EventParseError.TypeTooLong;
        var error = EventFieldRules.CheckType(fields.Type.In(body, scratch));
        if (error != EventParseError.None) return error;

        if (body[payload.Offset] != '{') return EventParseError.PayloadNotObject;
        if (hasPayload && Differs(body, payload, members[EventMembers.Data])) return EventParseError.PayloadAndDataDiffer;
        fields.PayloadOffset = payload.Offset;
        fields.PayloadLength = payload.Length;

        var dedupId = members[EventMembers.DedupId];
        if (IsOther(body, dedupId)) return EventParseError.DedupIdNotString;
        if (!TryDecode(body, dedupId, scratch, MaxFieldBytes, out fields.DedupId)) return EventParseError.DedupIdTooLong;
        error = EventFieldRules.CheckDedupId(fields.DedupId.In(body, scratch));
        if (error != EventParseError.None) return error;

        var orderingKey = members[EventMembers.OrderingKey];
        if (IsOther(body, orderingKey)) return EventParseError.OrderingKeyNotString;
        if (!TryDecode(body, orderingKey, scratch, 2 * MaxFieldBytes, out fields.OrderingKey)) return EventParseError.OrderingKeyTooLong;
        return EventFieldRules.CheckOrderingKey(fields.OrderingKey.In(body, scratch));
    }

    private static bool Differs(ReadOnlySpan<byte> body, JsonMember payload, JsonMember data) =>
        data.Length > 0 && !body.Slice(payload.Offset, payload.Length).SequenceEqual(body.Slice(data.Offset, data.Length));

    /// <summary>Whether the member is there and neither a string nor null.</summary>
    private static bool IsOther(ReadOnlySpan<byte> body, JsonMember member) =>
        member.Length > 0 && body[member.Offset] is not ((byte)'"' or (byte)'n');

    /// <summary>
    /// Finds the text of a string, decoding it into its part of the scratch buffer when it has escapes; empty for null or none. False
    /// when it is too long for that.
    /// </summary>
    private static bool TryDecode(ReadOnlySpan<byte> body, JsonMember member, Span<byte> scratch, int scratchOffset, out FieldText text)
    {
        text = default;
        if (member.Length == 0 || body[member.Offset] != '"') return true;
        var inside = body.Slice(member.Offset + 1, member.Length - 2);
        if (!inside.Contains((byte)'\\'))
        {
            text = new FieldText(member.Offset + 1, inside.Length, InScratch: false);
            return true;
        }

        var length = JsonEscape.Decode(inside, scratch.Slice(scratchOffset, MaxFieldBytes));
        text = new FieldText(scratchOffset, Math.Max(0, length), InScratch: true);
        return length >= 0;
    }

    private static int FirstInvalidByte(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(body[at..], out _, out var length) == System.Buffers.OperationStatus.Done) at += length;
        return at;
    }
}
