using System.Text.Json;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>Writes stored events. A payload goes out byte for byte as it came in.</summary>
internal static class EventJson
{
    /// <summary>Writes one event of a list.</summary>
    public static void Write(Utf8JsonWriter writer, StoredEvent stored)
    {
        writer.WriteStartObject();
        WriteFields(writer, stored);
        writer.WriteEndObject();
    }

    /// <summary>Writes one event of an export.</summary>
    public static void WriteExported(Utf8JsonWriter writer, StoredEvent stored)
    {
        writer.WriteStartObject();
        WriteFields(writer, stored);
        writer.WriteString("ordering_key"u8, stored.OrderingKey);
        WriteTrace(writer, stored);
        writer.WriteTime("acknowledged_at"u8, stored.AcknowledgedAt);
        writer.WriteEndObject();
    }

    /// <summary>Writes one event with its deliveries and their attempts.</summary>
    public static void WriteDetail(Utf8JsonWriter writer, (EventDetail Detail, IReadOnlyList<EventDelivery> Deliveries) state)
    {
        var (detail, deliveries) = state;
        writer.WriteStartObject();
        WriteFields(writer, detail.Event);
        writer.WriteString("ordering_key"u8, detail.Event.OrderingKey);
        WriteTrace(writer, detail.Event);
        writer.WriteTime("acknowledged_at"u8, detail.Event.AcknowledgedAt);
        writer.WriteStartArray("deliveries"u8);
        foreach (var delivery in deliveries) WriteDelivery(writer, delivery);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter writer, StoredEvent stored)
    {
        var status = StatusNames.Of(stored.Status);
        writer.WriteId("id"u8, stored.Id);
        writer.WriteString("type"u8, stored.Type);
        writer.WriteString("event_type"u8, stored.Type);
        writer.WritePropertyName("payload"u8);
        writer.WriteRawValue(stored.Payload, skipInputValidation: true);
        writer.WriteString("dedup_id"u8, stored.DedupId);
        writer.WriteString("status"u8, status);
        writer.WriteString("delivery_status"u8, status);
        writer.WriteNumber("attempts"u8, stored.Attempts);
        writer.WriteNullable("response_status"u8, stored.ResponseStatus);
        writer.WriteString("last_error"u8, stored.LastError);
        writer.WriteTime("created_at"u8, stored.Id.AcceptedAt);
        writer.WriteTime("updated_at"u8, stored.UpdatedAt);
    }

    private static void WriteTrace(Utf8JsonWriter writer, StoredEvent stored) =>
        writer.WriteString("traceparent"u8, stored.TraceParent.IsNone ? null : stored.TraceParent.ToString());

    private static void WriteDelivery(Utf8JsonWriter writer, EventDelivery one)
    {
        var delivery = one.Delivery;
        writer.WriteStartObject();
        writer.WriteString("endpoint_id"u8, delivery.EndpointId);
        writer.WriteString("url"u8, delivery.Url);
        var isSkipped = !one.Matched && delivery.Status == EventStatus.Pending;
        writer.WriteString("status"u8, isSkipped ? "skipped"u8 : StatusNames.Of(delivery.Status));
        writer.WriteTime("next_attempt_at"u8, delivery.NextAttemptAt);
        writer.WriteStartArray("attempts"u8);
        foreach (var attempt in delivery.Attempts) WriteAttempt(writer, attempt);
        writer.WriteEndArray();
        writer.WriteBoolean("matched"u8, one.Matched);
        writer.WriteString("reason"u8, one.Reason);
        writer.WriteEndObject();
    }

    private static void WriteAttempt(Utf8JsonWriter writer, AttemptRecord attempt)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number"u8, attempt.Number);
        writer.WriteTime("at"u8, attempt.At);
        writer.WriteNullable("response_status"u8, attempt.ResponseStatus);
        writer.WriteNumber("latency_ms"u8, attempt.LatencyMilliseconds);
        writer.WriteString("error"u8, attempt.Error);
        writer.WriteString("response_body"u8, attempt.ResponseBody);
        writer.WriteEndObject();
    }
}
