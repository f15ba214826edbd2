using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>
/// CloudEvents in HTTP requests (CloudEvents 1.0.2, http-protocol-binding.md): structured, the event as the body, or binary, its attributes
/// as <c>ce-</c> headers and its data as the body. A binary one is turned into the JSON format, so that both are stored alike.
/// </summary>
internal static class CloudEventBinding
{
    private const string Prefix = "ce-";
    private const string MediaType = "application/cloudevents";

    /// <summary>Whether the request is a CloudEvent of either kind.</summary>
    public static bool IsUsed(IHeaderDictionary headers) =>
        headers.ContainsKey("ce-specversion") || headers.ContainsKey("ce-id") || IsStructured(headers);

    /// <summary>Reads it.</summary>
    public static ParsedEvent Read(IHeaderDictionary headers, ReadOnlyMemory<byte> body)
    {
        if (IsStructured(headers)) return ParseStructured(body);
        var error = WriteStructured(headers, body, out var written, out var position);
        return error == EventParseError.None ? ParseStructured(written) : ParsedEvent.Refused(error, position);
    }

    /// <summary>Reads one in the JSON format.</summary>
    public static ParsedEvent ParseStructured(ReadOnlyMemory<byte> text)
    {
        var error = CloudEventText.Read(text.Span, text, out var position, out var type, out var dedupId, out var trace);
        return error == EventParseError.None
            ? new ParsedEvent(error, 0, type, dedupId, default, Trim(text), trace)
            : ParsedEvent.Refused(error, position);
    }

    private static bool IsStructured(IHeaderDictionary headers) =>
        headers.ContentType.Count > 0 && headers.ContentType.ToString().StartsWith(MediaType, StringComparison.OrdinalIgnoreCase);

    private static EventParseError WriteStructured(
        IHeaderDictionary headers, ReadOnlyMemory<byte> body, out ReadOnlyMemory<byte> written, out int position)
    {
        (written, position) = (default, 0);
        var buffer = new ArrayBufferWriter<byte>(body.Length + 512);
        using (var writer = new Utf8JsonWriter(buffer, Answers.WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var (name, values) in headers.OrderBy(static header => header.Key, StringComparer.OrdinalIgnoreCase))
            {
                if (!name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) continue;
                var attribute = name[Prefix.Length..].ToLowerInvariant();
                if (!IsAttribute(attribute) || values.Count != 1 || Decode(values[0]!) is not { } text)
                    return EventParseError.CloudEventHeader;
                writer.WriteString(attribute, text);
            }

            if (headers.ContentType.Count > 0) writer.WriteString("datacontenttype"u8, headers.ContentType.ToString());
            var error = WriteData(writer, headers.ContentType.ToString(), body.Span, out position);
            if (error != EventParseError.None) return error;
            writer.WriteEndObject();
        }

        written = buffer.WrittenMemory;
        return EventParseError.None;
    }

    /// <summary>JSON as it is, other text as a string, anything else in base64.</summary>
    private static EventParseError WriteData(Utf8JsonWriter writer, string contentType, ReadOnlySpan<byte> body, out int position)
    {
        position = 0;
        if (body.IsEmpty) return EventParseError.None;
        var type = contentType.Split(';')[0].Trim();
        if (type.Length == 0 || type.EndsWith("/json", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
        {
            if (CloudEventText.CheckValue(body, out position) is var error and not EventParseError.None) return error;
            writer.WritePropertyName("data"u8);
            writer.WriteRawValue(body, skipInputValidation: true);
        }
        else if (type.StartsWith("text/", StringComparison.OrdinalIgnoreCase) && Utf8.IsValid(body))
        {
            writer.WriteString("data"u8, body);
        }
        else
        {
            writer.WriteBase64String("data_base64"u8, body);
        }

        return EventParseError.None;
    }

    /// <summary>Attribute names are lower-case letters and digits, and the data is none.</summary>
    private static bool IsAttribute(string name) =>
        name.Length > 0 && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            && name is not ("data" or "datacontenttype");

    /// <summary>Takes quotes away and percent-decodes (binding, 3.1.3.2); null when that gives no text.</summary>
    private static string? Decode(string value)
    {
        var text = value.Trim();
        if (text is ['"', .., '"'])
            text = text[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
        if (!text.Contains('%', StringComparison.Ordinal)) return text;
        var bytes = new List<byte>(text.Length);
        var utf8 = Encoding.UTF8.GetBytes(text);
        for (var i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] != '%')
            {
                bytes.Add(utf8[i]);
                continue;
            }

            if (i + 2 >= utf8.Length || !char.IsAsciiHexDigit((char)utf8[i + 1]) || !char.IsAsciiHexDigit((char)utf8[i + 2])) return null;
            bytes.Add(Convert.ToByte(Encoding.ASCII.GetString(utf8, i + 1, 2), 16));
            i += 2;
        }

        byte[] decoded = [.. bytes];
        return Utf8.IsValid(decoded) ? Encoding.UTF8.GetString(decoded) : null;
    }

    private static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> text)
    {
        var (start, end) = (0, text.Length);
        while (text.Span[start] != '{') start++;
        while (text.Span[end - 1] != '}') end--;
        return text[start..end];
    }
}
