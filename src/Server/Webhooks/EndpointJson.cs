using System.Text.Json;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>Writes endpoints. Null stands for the server's default. The signing secret is never part of it.</summary>
internal static class EndpointJson
{
    /// <summary>Writes one.</summary>
    public static void Write(Utf8JsonWriter writer, EndpointNow now) => Write(writer, now, secret: null);

    /// <summary>Writes one that was just made, with its secret.</summary>
    public static void WriteMade(Utf8JsonWriter writer, EndpointNow now) => Write(writer, now, now.Endpoint.Secret);

    /// <summary>Writes the list of an organization.</summary>
    public static void WriteAll(Utf8JsonWriter writer, IReadOnlyList<EndpointNow> endpoints)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("endpoints"u8);
        foreach (var endpoint in endpoints) Write(writer, endpoint);
        writer.WriteEndArray();
        writer.WriteNumber("count"u8, endpoints.Count);
        writer.WriteEndObject();
    }

    /// <summary>Writes the answer to a rotation.</summary>
    public static void WriteRotated(Utf8JsonWriter writer, EndpointRecord endpoint)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, endpoint.Id);
        writer.WriteString("secret"u8, endpoint.Secret);
        writer.WriteTime("previous_valid_until"u8, endpoint.PreviousSecretUntil);
        writer.WriteTime("updated_at"u8, endpoint.UpdatedAt);
        writer.WriteString("message"u8, "Secret rotated; it is shown only this once. Until then deliveries are signed with both.");
        writer.WriteEndObject();
    }

    /// <summary>Writes what came of a test.</summary>
    public static void WriteTest(Utf8JsonWriter writer, EndpointTest test)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("success"u8, test.Result.Error == DeliveryError.None);
        writer.WriteString("endpoint_id"u8, test.Endpoint.Id);
        writer.WriteId("event_id"u8, test.EventId);
        writer.WriteString("url"u8, test.Endpoint.Url);
        writer.WriteStartObject("request_headers"u8);
        foreach (var header in test.Headers) writer.WriteString(header.Name, test.IsOwners(header) ? header.Shown : header.Value);
        writer.WriteEndObject();
        writer.WriteNullable("status"u8, test.Result.Status);
        writer.WriteNumber("latency_ms"u8, (long)test.Result.Latency.TotalMilliseconds);
        writer.WriteString("error"u8, test.Result.ErrorText);
        writer.WriteString("response_body"u8, test.Result.Answer);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, EndpointNow now, string? secret)
    {
        var endpoint = now.Endpoint;
        writer.WriteStartObject();
        writer.WriteString("id"u8, endpoint.Id);
        writer.WriteString("url"u8, endpoint.Url);
        writer.WriteString("description"u8, endpoint.Description);
        writer.WriteStartArray("event_types"u8);
        foreach (var pattern in endpoint.Filters.Current.Texts) writer.WriteStringValue(pattern);
        writer.WriteEndArray();
        WriteHeaders(writer, "headers"u8, endpoint.Headers);
        writer.WriteBoolean("enabled"u8, endpoint.Enabled);
        writer.WriteBoolean("is_default"u8, endpoint.IsDefault);
        writer.WriteString("disabled_reason"u8, endpoint.DisabledReason);
        writer.WriteNullable("rate_limit_per_second"u8, endpoint.RateLimitPerSecond);
        writer.WriteNullable("max_in_flight"u8, endpoint.MaxInFlight);
        writer.WriteNullable("timeout_seconds"u8, endpoint.TimeoutSeconds);
        WriteSchedule(writer, endpoint.RetrySchedule);
        writer.WriteString("ordering"u8, endpoint.Ordering == EndpointOrdering.Key ? "key"u8 : "none"u8);
        writer.WriteString("format"u8, endpoint.Format == WebhookFormat.CloudEvents ? "cloudevents"u8 : "standard"u8);
        WriteHealth(writer, now.Health);
        writer.WriteTime("created_at"u8, endpoint.CreatedAt);
        writer.WriteTime("updated_at"u8, endpoint.UpdatedAt);
        if (secret is not null) writer.WriteString("secret"u8, secret);
        writer.WriteEndObject();
    }

    private static void WriteHealth(Utf8JsonWriter writer, EndpointHealth health)
    {
        writer.WriteStartObject("health"u8);
        writer.WriteString("state"u8, EndpointStates.NameOf(health.State));
        writer.WriteTime("since"u8, health.Since);
        writer.WriteString("reason"u8, health.Reason);
        writer.WriteTime("resumes_at"u8, health.ResumesAt);
        writer.WriteNumber("failures_in_a_row"u8, health.Failing.Count);
        writer.WriteTime("failing_since"u8, health.Failing.Since);
        writer.WriteString("last_error"u8, health.Failing.LastError);
        writer.WriteEndObject();
    }

    private static void WriteSchedule(Utf8JsonWriter writer, EqualList<int>? schedule)
    {
        if (schedule is null)
        {
            writer.WriteNull("retry_schedule"u8);
            return;
        }

        writer.WriteStartArray("retry_schedule"u8);
        foreach (var seconds in schedule) writer.WriteNumberValue(seconds);
        writer.WriteEndArray();
    }

    private static void WriteHeaders(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<EndpointHeader> headers)
    {
        writer.WriteStartObject(name);
        foreach (var header in headers) writer.WriteString(header.Name, header.Shown);
        writer.WriteEndObject();
    }
}

/// <summary>An endpoint and how it is at the moment.</summary>
/// <param name="Endpoint">Its configuration.</param>
/// <param name="Health">How it is.</param>
internal sealed record EndpointNow(EndpointRecord Endpoint, EndpointHealth Health);

/// <summary>A test event and what came of it.</summary>
/// <param name="Endpoint">Where it was sent.</param>
/// <param name="EventId">Its id, which no stored event has.</param>
/// <param name="Result">The answer or the failure.</param>
/// <param name="Headers">What was sent with it.</param>
internal sealed record EndpointTest(EndpointRecord Endpoint, EventId EventId, TryResult Result, IReadOnlyList<EndpointHeader> Headers)
{
    /// <summary>Whether the header is one that the endpoint's owner has set.</summary>
    public bool IsOwners(EndpointHeader header) =>
        Endpoint.Headers.Any(own => string.Equals(own.Name, header.Name, StringComparison.OrdinalIgnoreCase));
}
