using System.Buffers;
using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>The part of a job's filter that is kept as JSON: what has no column of its own.</summary>
internal static class ReplayFilterText
{
    /// <summary>As it is stored.</summary>
    public static string Write(ReplayFilter filter)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (filter.Recovers) writer.WriteBoolean("recovers"u8, value: true);
            if (filter.Type is not null) writer.WriteString("type"u8, filter.Type);
            if (filter.Error is not null) writer.WriteString("error"u8, filter.Error);
            if (filter.EventIds is not null)
            {
                writer.WriteStartArray("event_ids"u8);
                foreach (var id in filter.EventIds) writer.WriteStringValue(id.ToString());
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads it; the other columns are given.</summary>
    public static ReplayFilter Read(string text, Guid? endpointId, DateTimeOffset? since, DateTimeOffset? until)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        return new ReplayFilter
        {
            Recovers = root.TryGetProperty("recovers"u8, out var recovers) && recovers.GetBoolean(),
            EndpointId = endpointId,
            Type = root.TryGetProperty("type"u8, out var type) ? type.GetString() : null,
            Since = since,
            Until = until,
            Error = root.TryGetProperty("error"u8, out var error) ? error.GetString() : null,
            EventIds = root.TryGetProperty("event_ids"u8, out var ids)
                ? [.. ids.EnumerateArray().Select(static id => EventId.TryParse(id.GetString(), out var parsed) ? parsed : default)]
                : null,
        };
    }
}
