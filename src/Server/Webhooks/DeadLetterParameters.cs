using System.Globalization;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>
/// The query parameters of <c>GET /api/dead-letters</c>. An empty value counts as absent, an unknown parameter is ignored. A cursor is
/// <c>event</c> or <c>event.endpoint</c>: of an event's dead letters a page may show only some.
/// </summary>
internal static class DeadLetterParameters
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Reads them; null with an error when one has a bad value.</summary>
    public static DeadLetterQuery? Read(IQueryCollection query, int organizationNo, out FieldError? error)
    {
        error = null;
        var filter = new ReplayFilter
        {
            EndpointId = ReplayFields.CheckEndpointId(TextOf(query, "endpoint_id", ref error), ref error),
            Type = ReplayFields.CheckType(TextOf(query, "type", ref error), ref error),
            Since = ReplayFields.CheckTime(TextOf(query, "since", ref error), "since", ref error),
            Until = ReplayFields.CheckTime(TextOf(query, "until", ref error), "until", ref error),
            Error = ReplayFields.CheckErrorText(TextOf(query, "error", ref error), ref error),
        };
        ReplayFields.CheckRange(filter, ref error);
        var limit = LimitOf(query, ref error);
        var cursor = CursorOf(query, ref error);
        return error is null ? new DeadLetterQuery(organizationNo, filter, limit, cursor) : null;
    }

    /// <summary>The cursor behind a dead letter.</summary>
    public static string CursorBehind(DeadLetter last) => $"{last.EventId}.{last.EndpointId}";

    private static string? TextOf(IQueryCollection query, string name, ref FieldError? error)
    {
        var values = query[name];
        if (values.Count > 1) error ??= new FieldError(name, $"{name} was sent {values.Count} times; send it once.");
        return values.Count == 1 && values[0] is { Length: > 0 } text ? text : null;
    }

    private static int LimitOf(IQueryCollection query, ref FieldError? error)
    {
        if (TextOf(query, "limit", ref error) is not { } text) return DefaultLimit;
        if (!text.AsSpan().ContainsAnyExceptInRange('0', '9')
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit is >= 1 and <= MaxLimit)
            return limit;
        error ??= new FieldError("limit", $"limit must be a whole number from 1 to {MaxLimit}.");
        return DefaultLimit;
    }

    private static DeadLetterCursor? CursorOf(IQueryCollection query, ref FieldError? error)
    {
        if (TextOf(query, "cursor", ref error) is not { } text) return null;
        var parts = text.Split('.');
        var endpoint = Guid.Empty;
        if (parts.Length <= 2 && EventId.TryParse(parts[0], out var id) && (parts.Length == 1 || UuidText.TryParse(parts[1], out endpoint)))
            return new DeadLetterCursor(id, endpoint);
        error ??= new FieldError("cursor", "cursor must be a next_cursor of this list, or the id of the last event seen.");
        return null;
    }
}
