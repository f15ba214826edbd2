using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// One CloudEvent in its JSON format (CloudEvents 1.0.2, json-format.md). Its type is the event's, its source and id together are the dedup
/// id (they are unique by the specification), its <c>traceparent</c> (extensions/distributed-tracing.md), if valid, is its trace, and all
/// of it is the payload.
/// </summary>
internal static class CloudEventText
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = JsonScanner.MaxDepth };

    /// <summary>Reads one. On an error <paramref name="position"/> is where JSON was found invalid.</summary>
    public static EventParseError Read(
        ReadOnlySpan<byte> body, ReadOnlyMemory<byte> memory, out int position, out ReadOnlyMemory<byte> type,
        out ReadOnlyMemory<byte> dedupId,
        out TraceParent trace)
    {
        (type, dedupId, trace) = (default, default, default);

        // The grammar, twins and text as for any event; what it finds of an event's own members means nothing here.
        var fields = default(EventFields);
        Span<byte> scratch = stackalloc byte[EventParser.ScratchLength];
        var error = EventParser.Parse(body, ref fields, scratch);
        position = fields.ErrorPosition;
        if (error.IsInvalidJson()) return error;

        using var document = JsonDocument.Parse(memory, Options);
        var root = document.RootElement;
        if (TextOf(root, "specversion"u8) != "1.0") return EventParseError.CloudEventVersion;
        if (TextOf(root, "id"u8) is not { Length: > 0 } id) return EventParseError.CloudEventId;
        if (TextOf(root, "source"u8) is not { Length: > 0 } source) return EventParseError.CloudEventSource;
        if (TextOf(root, "type"u8) is not { } name) return EventParseError.CloudEventType;
        if (root.TryGetProperty("data"u8, out _) && root.TryGetProperty("data_base64"u8, out _)) return EventParseError.CloudEventData;
        _ = TraceParent.TryParse(TextOf(root, "traceparent"u8), out trace);
        type = Encoding.UTF8.GetBytes(name);
        error = EventFieldRules.CheckType(type.Span);
        if (error != EventParseError.None) return error;
        dedupId = Encoding.UTF8.GetBytes(DedupIdOf(source, id));
        return EventFieldRules.CheckDedupId(dedupId.Span);
    }

    /// <summary>
    /// Checks that a text is one JSON value, fit to stand in an event: what is more would be read as members of the event.
    /// </summary>
    public static EventParseError CheckValue(ReadOnlySpan<byte> text, out int position)
    {
        position = 0;
        if (!Utf8.IsValid(text)) return EventParseError.InvalidUtf8;
        var scanner = new JsonScanner(text);
        scanner.Next(ref position);
        position = scanner.SkipValue(position, depth: 1);
        if (position >= 0)
        {
            scanner.Next(ref position);
            return position == text.Length ? EventParseError.None : EventParseError.TrailingBytes;
        }

        position = scanner.ErrorPosition;
        return scanner.Error;
    }

    /// <summary>
    /// Source and id with a space between, which no source has (it is a URI reference); a hash of that where it is too long.
    /// </summary>
    public static string DedupIdOf(string source, string id)
    {
        var both = $"{source} {id}";
        return both.EnumerateRunes().Count() <= EventLimits.MaxTextCharacters
            ? both
            : $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(both)))}";
    }

    private static string? TextOf(JsonElement root, ReadOnlySpan<byte> name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
