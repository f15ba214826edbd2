using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>The contract's rules spelled out slowly over System.Text.Json: what the parser must agree with.</summary>
internal static class JsonOracle
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What the parser should say, with every kind of invalid JSON as <see cref="EventParseError.Malformed"/>.</summary>
    public static ParsedEvent Parse(byte[] body)
    {
        try
        {
            StrictUtf8.GetCharCount(body);
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            DecodeAll(document.RootElement);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return Refused(EventParseError.Malformed);
            var names = root.EnumerateObject().Select(p => p.Name).ToList();
            return names.Distinct(StringComparer.Ordinal).Count() == names.Count ? Take(root) : Refused(EventParseError.Malformed);
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            return Refused(EventParseError.Malformed);
        }
    }

    /// <summary>Decodes every name and string: a lone surrogate escape throws only then.</summary>
    private static void DecodeAll(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String) _ = element.GetString();
        else if (element.ValueKind == JsonValueKind.Array) element.EnumerateArray().ToList().ForEach(DecodeAll);
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                _ = property.Name;
                DecodeAll(property.Value);
            }
        }
    }

    private static ParsedEvent Take(JsonElement root)
    {
        var hasPayload = root.TryGetProperty("payload", out var payload);
        var hasData = root.TryGetProperty("data", out var data);
        if (!root.TryGetProperty("type", out var type) || !(hasPayload || hasData)) return Refused(EventParseError.MissingFields);
        if (type.ValueKind != JsonValueKind.String) return Refused(EventParseError.TypeNotString);
        var typeText = type.GetString()!;
        if (typeText.Length == 0) return Refused(EventParseError.TypeEmpty);
        if (typeText.EnumerateRunes().Count() > 255) return Refused(EventParseError.TypeTooLong);
        if (typeText.Any(char.IsControl)) return Refused(EventParseError.TypeHasControlCharacter);
        if (!hasPayload) payload = data;
        if (payload.ValueKind != JsonValueKind.Object) return Refused(EventParseError.PayloadNotObject);
        if (hasPayload && hasData && payload.GetRawText() != data.GetRawText()) return Refused(EventParseError.PayloadAndDataDiffer);

        var error = Optional(root, "dedup_id", EventParseError.DedupIdNotString, out var dedupId);
        if (error != EventParseError.None) return Refused(error);
        error = Optional(root, "ordering_key", EventParseError.OrderingKeyNotString, out var orderingKey);
        if (error != EventParseError.None) return Refused(error);
        return new ParsedEvent(EventParseError.None, 0, typeText, dedupId, orderingKey, payload.GetRawText());
    }

    /// <summary>Reads an optional text; its three errors follow each other: not a string, too long, NUL.</summary>
    private static EventParseError Optional(JsonElement root, string name, EventParseError notString, out string text)
    {
        text = "";
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return EventParseError.None;
        if (value.ValueKind != JsonValueKind.String) return notString;
        text = value.GetString()!;
        if (text.EnumerateRunes().Count() > 255) return notString + 1;
        return text.Contains('\0', StringComparison.Ordinal) ? notString + 2 : EventParseError.None;
    }

    private static ParsedEvent Refused(EventParseError error) => new(error, 0, "", "", "", "");
}
