namespace ZapierTriggers.Core.Events;

/// <summary>
/// Why a body is not an event. Members up to <see cref="TrailingBytes"/> are the contract's 400 "Invalid JSON"; then comes 400 "Missing
/// required fields"; the rest is 422 "Invalid field". A body with several faults reports the first in the order of the members' groups.
/// </summary>
internal enum EventParseError
{
    /// <summary>The body is an event.</summary>
    None = 0,

    /// <summary>No bytes, or only white space.</summary>
    Empty,

    /// <summary>The body begins with a byte order mark, which RFC 8259 (8.1) forbids to send.</summary>
    ByteOrderMark,

    /// <summary>Some bytes are not UTF-8 (RFC 3629): overlong, a surrogate, above U+10FFFF, or cut off.</summary>
    InvalidUtf8,

    /// <summary>A JSON value, but not an object.</summary>
    NotAnObject,

    /// <summary>Not the grammar of RFC 8259, or it ends too early.</summary>
    Malformed,

    /// <summary>An escape names half of a surrogate pair: no Unicode text, and what decoders make of it differs.</summary>
    LoneSurrogate,

    /// <summary>Objects and arrays are nested deeper than <see cref="JsonScanner.MaxDepth"/>.</summary>
    TooDeep,

    /// <summary>Two members of the top-level object have the same name, compared after unescaping.</summary>
    TwinKey,

    /// <summary>Something other than white space follows the object.</summary>
    TrailingBytes,

    /// <summary><c>type</c>, or both of <c>payload</c> and <c>data</c>, are absent.</summary>
    MissingFields,

    /// <summary><c>type</c> is not a string.</summary>
    TypeNotString,

    /// <summary><c>type</c> is the empty string.</summary>
    TypeEmpty,

    /// <summary><c>type</c> has over <see cref="EventParser.MaxFieldCharacters"/> characters.</summary>
    TypeTooLong,

    /// <summary><c>type</c> holds a control character (U+0000–U+001F, U+007F–U+009F).</summary>
    TypeHasControlCharacter,

    /// <summary>The payload is not an object.</summary>
    PayloadNotObject,

    /// <summary><c>payload</c> and its alias <c>data</c> are both there and their bytes differ.</summary>
    PayloadAndDataDiffer,

    /// <summary><c>dedup_id</c> is neither a string nor null.</summary>
    DedupIdNotString,

    /// <summary><c>dedup_id</c> has over <see cref="EventParser.MaxFieldCharacters"/> characters.</summary>
    DedupIdTooLong,

    /// <summary><c>dedup_id</c> holds U+0000, which a Postgres text cannot.</summary>
    DedupIdHasNul,

    /// <summary><c>ordering_key</c> is neither a string nor null.</summary>
    OrderingKeyNotString,

    /// <summary><c>ordering_key</c> has over <see cref="EventParser.MaxFieldCharacters"/> characters.</summary>
    OrderingKeyTooLong,

    /// <summary><c>ordering_key</c> holds U+0000, which a Postgres text cannot.</summary>
    OrderingKeyHasNul,

    /// <summary>A CloudEvent whose <c>specversion</c> is not "1.0".</summary>
    CloudEventVersion,

    /// <summary>A CloudEvent whose <c>id</c> is no text.</summary>
    CloudEventId,

    /// <summary>A CloudEvent whose <c>source</c> is no text.</summary>
    CloudEventSource,

    /// <summary>A CloudEvent whose <c>type</c> is no text.</summary>
    CloudEventType,

    /// <summary>A CloudEvent with both <c>data</c> and <c>data_base64</c>.</summary>
    CloudEventData,

    /// <summary>A <c>ce-</c> header that names no attribute, comes twice, or is not percent-encoded text.</summary>
    CloudEventHeader,
}

/// <summary>How an <see cref="EventParseError"/> is answered.</summary>
internal static class EventParseErrors
{
    /// <summary>Whether it is the contract's 400 "Invalid JSON".</summary>
    public static bool IsInvalidJson(this EventParseError error) => error is > EventParseError.None and <= EventParseError.TrailingBytes;

    /// <summary>The field that the contract's 422 names; null for what is not a 422.</summary>
    public static string? Field(this EventParseError error) => error switch
    {
        >= EventParseError.TypeNotString and <= EventParseError.TypeHasControlCharacter => "type",
        EventParseError.PayloadNotObject or EventParseError.PayloadAndDataDiffer => "payload",
        >= EventParseError.DedupIdNotString and <= EventParseError.DedupIdHasNul => "dedup_id",
        >= EventParseError.OrderingKeyNotString and <= EventParseError.OrderingKeyHasNul => "ordering_key",
        EventParseError.CloudEventVersion => "specversion",
        EventParseError.CloudEventId => "id",
        EventParseError.CloudEventSource => "source",
        EventParseError.CloudEventType => "type",
        EventParseError.CloudEventData => "data",
        EventParseError.CloudEventHeader => "ce-",
        _ => null,
    };
}
