using System.Globalization;
using System.Text.Json;

namespace ZapierTriggers.Server.Http;

/// <summary>Fields as the contract writes them: times in RFC 3339, UTC, milliseconds; null where there is no value.</summary>
internal static class JsonFields
{
    private const int TextLength = 24;

    /// <summary>Writes a time, or null.</summary>
    public static void WriteTime(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? value)
    {
        if (value is not { } time)
        {
            writer.WriteNull(name);
            return;
        }

        Span<byte> text = stackalloc byte[TextLength];
        time.UtcDateTime.TryFormat(text, out var written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        writer.WriteString(name, text[..written]);
    }

    /// <summary>Writes a number, or null.</summary>
    public static void WriteNullable(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
        else writer.WriteNull(name);
    }

    /// <summary>Writes an event's id.</summary>
    public static void WriteId(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, EventId id)
    {
        Span<byte> text = stackalloc byte[EventId.TextLength];
        id.WriteUtf8(text);
        writer.WriteString(name, text);
    }

    /// <summary>Cut to milliseconds, so that what is answered now equals what is read back later.</summary>
    public static DateTimeOffset GetMilliseconds(this TimeProvider time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}
