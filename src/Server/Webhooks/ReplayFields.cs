using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>What the fields of a filter may hold, in a query and in a body alike. Null stays null.</summary>
internal static class ReplayFields
{
    private const int MaxTextLength = 255;

    /// <summary>A UUID.</summary>
    public static Guid? CheckEndpointId(string? text, ref FieldError? error)
    {
        if (text is null) return null;
        if (UuidText.TryParse(text, out var id)) return id;
        error ??= new FieldError("endpoint_id", "endpoint_id must be the id of an endpoint: a UUID of 36 characters.");
        return null;
    }

    /// <summary>An event's type.</summary>
    public static string? CheckType(string? text, ref FieldError? error) => CheckText(text, "type", ref error);

    /// <summary>A part of an error's text.</summary>
    public static string? CheckErrorText(string? text, ref FieldError? error) => CheckText(text, "error", ref error);

    /// <summary>A time.</summary>
    public static DateTimeOffset? CheckTime(string? text, string name, ref FieldError? error)
    {
        if (text is null) return null;
        if (TimeText.TryParse(text, out var time)) return time;
        error ??= new FieldError(name, $"{name} must be {TimeText.Form}.");
        return null;
    }

    /// <summary>Since is before until.</summary>
    public static void CheckRange(ReplayFilter filter, ref FieldError? error)
    {
        if (filter.Since >= filter.Until)
            error ??= new FieldError("until", "until must be later than since: events accepted from since on and before until are meant.");
    }

    private static string? CheckText(string? text, string name, ref FieldError? error)
    {
        if (text is null || (text.Length <= MaxTextLength && !text.Any(char.IsControl))) return text;
        error ??= new FieldError(name, $"{name} must have at most {MaxTextLength} characters and no control characters.");
        return null;
    }
}
