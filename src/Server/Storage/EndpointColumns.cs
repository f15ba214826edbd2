using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>Those columns of an endpoint that both stores keep as text.</summary>
internal static class EndpointColumns
{
    /// <summary>Headers as a JSON object, in their order.</summary>
    public static string Encode(IReadOnlyList<EndpointHeader> headers) => Write(writer =>
    {
        writer.WriteStartObject();
        foreach (var (name, value) in headers) writer.WriteString(name, value);
        writer.WriteEndObject();
    });

    /// <summary>Reads <see cref="Encode(IReadOnlyList{EndpointHeader})"/>.</summary>
    public static EqualList<EndpointHeader> DecodeHeaders(string json)
    {
        using var document = JsonDocument.Parse(json);
        var headers = document.RootElement.EnumerateObject().Select(one => new EndpointHeader(one.Name, one.Value.GetString()!));
        return new EqualList<EndpointHeader>(headers.ToArray());
    }

    /// <summary>Patterns as a JSON array of texts.</summary>
    public static string Encode(EventTypePatterns patterns) => Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var text in patterns.Texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    });

    /// <summary>Reads <see cref="Encode(EventTypePatterns)"/>.</summary>
    public static EventTypePatterns DecodePatterns(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new EventTypePatterns([.. document.RootElement.EnumerateArray().Select(one => one.GetString()!)]);
    }

    /// <summary>Seconds as a JSON array of numbers; null stays null.</summary>
    public static string? Encode(IReadOnlyList<int>? seconds) => seconds is null ? null : Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var number in seconds) writer.WriteNumberValue(number);
        writer.WriteEndArray();
    });

    /// <summary>Reads <see cref="Encode(IReadOnlyList{int})"/>.</summary>
    public static EqualList<int>? DecodeSeconds(string? json)
    {
        if (json is null) return null;
        using var document = JsonDocument.Parse(json);
        return new EqualList<int>(document.RootElement.EnumerateArray().Select(one => one.GetInt32()).ToArray());
    }

    /// <summary>The ordering's name.</summary>
    public static string Encode(EndpointOrdering ordering) => ordering == EndpointOrdering.Key ? "key" : "none";

    /// <summary>Reads <see cref="Encode(EndpointOrdering)"/>.</summary>
    public static EndpointOrdering DecodeOrdering(string text) => text == "key" ? EndpointOrdering.Key : EndpointOrdering.None;

    /// <summary>The format's name.</summary>
    public static string Encode(WebhookFormat format) => format == WebhookFormat.CloudEvents ? "cloudevents" : "standard";

    /// <summary>Reads <see cref="Encode(WebhookFormat)"/>.</summary>
    public static WebhookFormat DecodeFormat(string text) => text == "cloudevents" ? WebhookFormat.CloudEvents : WebhookFormat.Standard;

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer)) write(writer);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
