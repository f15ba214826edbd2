using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>What to tell the sender of a body that is not an event: what was wrong and what to send instead.</summary>
internal static class ParseErrorText
{
    /// <summary>The problem, its detail, and the field that is to blame, if one is.</summary>
    public static (Problem Problem, string Detail, string? Field) Explain(EventParseError error, int position) =>
        error.IsInvalidJson() ? (Problem.InvalidJson, Of(error, position), null)
        : error == EventParseError.MissingFields ? (Problem.MissingFields, Of(error, position), null)
        : (Problem.InvalidField, Of(error, position), error.Field() ?? "body");

    /// <summary>The detail. <paramref name="position"/> is the byte at which invalid JSON was noticed.</summary>
    public static string Of(EventParseError error, int position) => error switch
    {
        EventParseError.Empty => "The body is empty; send a JSON object.",
        EventParseError.ByteOrderMark => "The body begins with a byte order mark; send plain UTF-8 without it.",
        EventParseError.InvalidUtf8 => $"Byte {position} is not UTF-8; send the body in UTF-8.",
        EventParseError.NotAnObject => "The body is not a JSON object; send {\"type\": \"…\", \"payload\": {…}}.",
        EventParseError.LoneSurrogate =>
            $"The escape at byte {position} is half of a surrogate pair; send both halves, or the character itself.",
        EventParseError.TooDeep =>
            $"Objects and arrays are nested deeper than {JsonScanner.MaxDepth} at byte {position}; send a flatter payload.",
        EventParseError.TwinKey => $"The key at byte {position} was there before; send each key once.",
        EventParseError.TrailingBytes => $"Something follows the object at byte {position}; send one event per request.",
        EventParseError.MissingFields => "Send {\"type\": \"…\", \"payload\": {…}}; dedup_id and ordering_key may be added.",
        EventParseError.TypeNotString => "type is not a string.",
        EventParseError.TypeEmpty => "type is empty; send a name like user.created.",
        EventParseError.TypeTooLong => $"type has over {EventLimits.MaxTextCharacters} characters.",
        EventParseError.TypeHasControlCharacter => "type has a control character; send visible characters only.",
        EventParseError.PayloadNotObject => "payload is not a JSON object; wrap the value in one.",
        EventParseError.PayloadAndDataDiffer => "payload and data are the same field and differ; send one of them.",
        EventParseError.DedupIdNotString => "dedup_id is not a string; send a string, or leave it out.",
        EventParseError.DedupIdTooLong => $"dedup_id has over {EventLimits.MaxTextCharacters} characters.",
        EventParseError.DedupIdHasNul => "dedup_id has the character U+0000, which cannot be stored.",
        EventParseError.OrderingKeyNotString => "ordering_key is not a string; send a string, or leave it out.",
        EventParseError.OrderingKeyTooLong => $"ordering_key has over {EventLimits.MaxTextCharacters} characters.",
        EventParseError.OrderingKeyHasNul => "ordering_key has the character U+0000, which cannot be stored.",
        EventParseError.CloudEventVersion => "specversion is not \"1.0\"; send a CloudEvent of version 1.0.",
        EventParseError.CloudEventId => "id is missing or empty; a CloudEvent has a text there that is unique for its source.",
        EventParseError.CloudEventSource => "source is missing or empty; a CloudEvent has a URI reference there.",
        EventParseError.CloudEventType => "type is missing; a CloudEvent has a text there.",
        EventParseError.CloudEventData => "data and data_base64 are both there; a CloudEvent has one of them.",
        EventParseError.CloudEventHeader =>
            "A ce- header names no attribute (lower-case letters and digits), comes twice, or is not percent-encoded UTF-8.",
        _ => $"The body is not JSON at byte {position}.",
    };
}
