using System.Buffers;
using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Encodes a delivery's body as a CloudEvent in the JSON format (CloudEvents 1.0.2, json-format.md). One that came in as a CloudEvent goes
/// out as it came; any other becomes the data of one. Its id is the event's, its source the place where that is found, its partition key
/// (the partitioning extension) the ordering key.
/// <code>
/// head    {"specversion":"1.0","id":"(36)","source":"/api/events","type":"(escaped)","time":"2026-01-31T08:00:00.000Z",
///         "partitionkey":"(escaped)","datacontenttype":"application/json","data":
/// payload as it was sent
/// tail    }
/// </code>
/// </summary>
internal static class CloudEventBody
{
    /// <summary>The body's Content-Type.</summary>
    public const string MediaType = "application/cloudevents+json; charset=utf-8";

    /// <summary>Writes the whole body.</summary>
    public static void Write(IBufferWriter<byte> writer, DueEvent due)
    {
        WriteHead(writer, due);
        writer.Write(due.Payload);
        WriteTail(writer, due);
    }

    /// <summary>Writes what stands before the payload; nothing if that is a CloudEvent.</summary>
    public static void WriteHead(IBufferWriter<byte> writer, DueEvent due)
    {
        if (IsCloudEvent(due)) return;
        Span<byte> id = stackalloc byte[EventId.TextLength];
        due.Id.WriteUtf8(id);
        writer.Write("{\"specversion\":\"1.0\",\"id\":\""u8);
        writer.Write(id);
        writer.Write("\",\"source\":\"/api/events\",\"type\":\""u8);
        WebhookBody.WriteText(writer, due.Type);
        writer.Write("\",\"time\":\""u8);
        WebhookBody.WriteTime(writer, due.Id);
        if (due.OrderingKey is { } key)
        {
            writer.Write("\",\"partitionkey\":\""u8);
            WebhookBody.WriteText(writer, key);
        }

        writer.Write("\",\"datacontenttype\":\"application/json\",\"data\":"u8);
    }

    /// <summary>Writes what stands behind the payload.</summary>
    public static void WriteTail(IBufferWriter<byte> writer, DueEvent due)
    {
        if (!IsCloudEvent(due)) writer.Write("}"u8);
    }

    /// <summary>
    /// Whether the payload is a whole CloudEvent of the event's own type: what <see cref="CloudEventText"/> lets in, and nearly nothing
    /// else.
    /// </summary>
    public static bool IsCloudEvent(DueEvent due)
    {
        var reader = new Utf8JsonReader(due.Payload);
        var found = 0;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isSpecVersion = reader.ValueTextEquals("specversion"u8);
            var isType = reader.ValueTextEquals("type"u8);
            var isPlace = reader.ValueTextEquals("id"u8) || reader.ValueTextEquals("source"u8);
            reader.Read();
            if (isSpecVersion || isType || isPlace)
            {
                if (reader.TokenType != JsonTokenType.String) return false;
                if (isSpecVersion && !reader.ValueTextEquals("1.0"u8)) return false;
                if (isType && !reader.ValueTextEquals(due.Type)) return false;
                if (isPlace && reader.ValueTextEquals(""u8)) return false;
                found++;
            }
            else
            {
                reader.Skip();
            }
        }

        return found == 4;
    }
}
