using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ZapierTriggers.Core.Storing;

/// <summary>Which events of an organization are to be erased.</summary>
internal sealed record ErasureSelection
{
    /// <summary>These, in the order of their ids; null = those that match what follows.</summary>
    public IReadOnlyList<EventId>? EventIds { get; init; }

    /// <summary>The way to a member of the payload, its names from the outside in.</summary>
    public IReadOnlyList<string> Path { get; init; } = [];

    /// <summary>What is there, as JSON: a string, a number, true, false or null.</summary>
    public string EqualTo { get; init; } = "null";

    /// <summary>Only events of exactly this type; null = of all.</summary>
    public string? Type { get; init; }

    /// <summary>Only events accepted then or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only events accepted before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Whether a payload has that value in that place. Numbers are compared by value, strings by their characters.</summary>
    public bool Matches(ReadOnlyMemory<byte> payload)
    {
        using var wanted = JsonDocument.Parse(EqualTo);
        return Matches(payload, found => Equal(found, wanted.RootElement));
    }

    /// <summary>Whether a payload has something in that place that is meant.</summary>
    public bool Matches(ReadOnlyMemory<byte> payload, Func<JsonElement, bool> isMeant)
    {
        using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 128 });
        var at = document.RootElement;
        foreach (var name in Path)
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return false;
        }

        return isMeant(at);
    }

    /// <summary>As it is stored.</summary>
    public string Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (EventIds is not null) WriteTexts(writer, "event_ids", EventIds.Select(static id => id.ToString()));
            WriteTexts(writer, "path", Path);
            writer.WriteString("equals", EqualTo);
            if (Type is not null) writer.WriteString("type", Type);
            if (From is { } from) writer.WriteNumber("from", from.ToUnixTimeMilliseconds());
            if (To is { } to) writer.WriteNumber("to", to.ToUnixTimeMilliseconds());
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads <see cref="Write"/>.</summary>
    public static ErasureSelection Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        return new ErasureSelection
        {
            EventIds = root.TryGetProperty("event_ids", out var ids)
                ? [.. ids.EnumerateArray().Select(static id => EventId.TryParse(id.GetString(), out var parsed) ? parsed : default)]
                : null,
            Path = [.. root.GetProperty("path").EnumerateArray().Select(static name => name.GetString()!)],
            EqualTo = root.GetProperty("equals").GetString()!,
            Type = root.TryGetProperty("type", out var type) ? type.GetString() : null,
            From = root.TryGetProperty("from", out var from) ? DateTimeOffset.FromUnixTimeMilliseconds(from.GetInt64()) : null,
            To = root.TryGetProperty("to", out var to) ? DateTimeOffset.FromUnixTimeMilliseconds(to.GetInt64()) : null,
        };
    }

    private static bool Equal(JsonElement one, JsonElement other)
    {
        if (one.ValueKind != other.ValueKind) return false;
        return one.ValueKind switch
        {
            JsonValueKind.String => TextOf(one) is { } text && text == other.GetString(),
            JsonValueKind.Number => SameNumber(one, other),
            JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null => true,
            _ => false,
        };
    }

    /// <summary>Written alike, or the same as a decimal or, beyond that, as a double.</summary>
    private static bool SameNumber(JsonElement one, JsonElement other)
    {
        if (one.GetRawText() == other.GetRawText()) return true;
        if (one.TryGetDecimal(out var left) && other.TryGetDecimal(out var right)) return left == right;
        return one.TryGetDouble(out var first) && other.TryGetDouble(out var second) && double.IsFinite(first) && first.Equals(second);
    }

    private static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair, of an event from before they were refused
        }
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}
