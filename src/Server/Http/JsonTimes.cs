using System.Globalization;
using System.Text.Json;

namespace ZapierTriggers.Server.Http;

/// <summary>Times as the contract writes them: RFC 3339, UTC, milliseconds.</summary>
internal static class JsonTimes
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

    /// <summary>Cut to milliseconds, so that what is answered now equals what is read back later.</summary>
    public static DateTimeOffset GetMilliseconds(this TimeProvider time) => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}
