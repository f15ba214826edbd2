using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// An event that the server tells an organization of its own accord: it goes into the inbox and to endpoints that its type matches, but not
/// to the one that it is about, and a failure to deliver it is not told again.
/// </summary>
/// <param name="OrganizationNo">Whom it is told.</param>
/// <param name="SubjectId">Which endpoint it is about, or the organization itself; also the event's ordering key.</param>
/// <param name="Type">One of the types below.</param>
/// <param name="DedupId">The same for the same occasion: told twice, it is one event.</param>
/// <param name="Payload">UTF-8 JSON.</param>
internal sealed record OperationalEvent(int OrganizationNo, Guid SubjectId, string Type, string DedupId, byte[] Payload)
{
    /// <summary>An endpoint has failed for a while; again when it is about to be disabled for it.</summary>
    public const string EndpointFailing = "endpoint.failing";

    /// <summary>The server has disabled an endpoint.</summary>
    public const string EndpointDisabled = "endpoint.disabled";

    /// <summary>An endpoint that was told to be failing has taken an event.</summary>
    public const string EndpointRecovered = "endpoint.recovered";

    /// <summary>An event has used up its tries at an endpoint.</summary>
    public const string EventDeadLetter = "event.dead_letter";

    /// <summary>80 % of the rate limit were used.</summary>
    public const string RateLimitWarning = "usage.rate_limit_warning";

    /// <summary>All of the rate limit was used.</summary>
    public const string RateLimitReached = "usage.rate_limit_reached";

    /// <summary>80 % of the month's quota are used.</summary>
    public const string QuotaWarning = "usage.quota_warning";

    /// <summary>All of the month's quota is used.</summary>
    public const string QuotaReached = "usage.quota_reached";

    /// <summary>Whether an event looks like one of these; a failure to deliver one is not told.</summary>
    public static bool IsOne(string type, string? orderingKey) =>
        EndpointOf(type, orderingKey) is not null
        || (type is RateLimitWarning or RateLimitReached or QuotaWarning or QuotaReached && Guid.TryParseExact(orderingKey, "D", out _));

    /// <summary>
    /// The endpoint that an event is about, if it is one of these. Its ordering key tells it from a producer's event of the same type.
    /// </summary>
    public static Guid? EndpointOf(string type, string? orderingKey) =>
        type is EndpointFailing or EndpointDisabled or EndpointRecovered or EventDeadLetter
        && Guid.TryParseExact(orderingKey, "D", out var endpointId) ? endpointId : null;

    /// <summary>Tells that an endpoint fails.</summary>
    /// <param name="endpoint">Which.</param>
    /// <param name="health">How it is.</param>
    /// <param name="disablesAt">When it will be disabled if it goes on like that; null = never.</param>
    /// <param name="isWarning">Whether that is soon.</param>
    public static OperationalEvent Failing(EndpointRecord endpoint, EndpointHealth health, DateTimeOffset? disablesAt, bool isWarning) =>
        About(endpoint, EndpointFailing, $"{Stamp(health.Failing.Since)}{(isWarning ? ":warning" : "")}", writer =>
        {
            Write(writer, "failing_since"u8, health.Failing.Since);
            writer.WriteNumber("failures_in_a_row"u8, health.Failing.Count);
            writer.WriteString("last_error"u8, health.Failing.LastError);
            Write(writer, "disables_at"u8, disablesAt);
        });

    /// <summary>Tells that the server has disabled an endpoint.</summary>
    public static OperationalEvent Disabled(EndpointRecord endpoint, DateTimeOffset at, string reason) =>
        About(endpoint, EndpointDisabled, Stamp(at), writer =>
        {
            Write(writer, "disabled_at"u8, at);
            writer.WriteString("reason"u8, reason);
        });

    /// <summary>Tells that an endpoint works again.</summary>
    public static OperationalEvent Recovered(EndpointRecord endpoint, DateTimeOffset at) => About(
        endpoint, EndpointRecovered, Stamp(at), writer => Write(writer, "recovered_at"u8, at));

    /// <summary>Tells that an event was given up at an endpoint.</summary>
    public static OperationalEvent DeadLetter(EndpointRecord endpoint, DueEvent due, int attempts, TryResult last) =>
        About(endpoint, EventDeadLetter, $"{due.Id}:{attempts.ToString(CultureInfo.InvariantCulture)}", writer =>
        {
            writer.WriteString("event_id"u8, due.Id.ToString());
            writer.WriteString("event_type"u8, due.Type);
            writer.WriteNumber("attempts"u8, attempts);
            if (last.Status is { } status) writer.WriteNumber("last_status"u8, status);
            else writer.WriteNull("last_status"u8);
            writer.WriteString("last_error"u8, last.ErrorText);
        });

    /// <summary>Tells how much of the rate limit was used; once in an hour of the clock, however often it is told.</summary>
    public static OperationalEvent RateLimit(Organization organization, bool isReached, int limit, DateTimeOffset at) => Usage(
        organization, isReached ? RateLimitReached : RateLimitWarning, Stamp(UsageTime.HourOf(at)), limit, writer =>
        {
            writer.WriteNumber("window_seconds"u8, Limits.RateWindow.Seconds);
            Write(writer, "at"u8, at);
        });

    /// <summary>Tells how much of the month's quota is used; once for a month.</summary>
    public static OperationalEvent Quota(Organization organization, bool isReached, QuotaState state) => Usage(
        organization, isReached ? QuotaReached : QuotaWarning, Stamp(state.ResetsAt), state.Limit ?? 0, writer =>
        {
            writer.WriteNumber("used"u8, state.Used);
            Write(writer, "resets_at"u8, state.ResetsAt);
        });

    private static OperationalEvent Usage(
        Organization organization, string type, string occasion, long limit, Action<Utf8JsonWriter> write)
    {
        var payload = Json(writer =>
        {
            writer.WriteString("organization_id"u8, organization.Id);
            writer.WriteNumber("limit"u8, limit);
            write(writer);
        });
        return new OperationalEvent(organization.No, organization.Id, type, $"zap:{type}:{organization.Id}:{occasion}", payload);
    }

    private static OperationalEvent About(EndpointRecord endpoint, string type, string occasion, Action<Utf8JsonWriter> write)
    {
        var payload = Json(writer =>
        {
            writer.WriteString("endpoint_id"u8, endpoint.Id);
            writer.WriteString("url"u8, endpoint.Url);
            write(writer);
        });
        return new OperationalEvent(endpoint.OrganizationNo, endpoint.Id, type, $"zap:{type}:{endpoint.Id}:{occasion}", payload);
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Stamp(DateTimeOffset? at) => at?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) ?? "";

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? at)
    {
        if (at is { } time)
            writer.WriteString(name, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        else writer.WriteNull(name);
    }
}
