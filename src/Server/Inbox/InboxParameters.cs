using System.Globalization;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>The query parameters of <c>GET /api/inbox</c>. An empty value counts as absent, an unknown parameter is ignored.</summary>
internal static class InboxParameters
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;
    private const int MaxOffset = 10_000;
    private const int MaxTypeLength = 255;

    /// <summary>Reads them; null with an error when one has a bad value.</summary>
    public static InboxQuery? Read(IQueryCollection query, int organizationNo, out FieldError? error)
    {
        error = null;
        var limit = ReadNumber(query, "limit", 1, MaxLimit, DefaultLimit, ref error);
        var offset = ReadNumber(query, "offset", 0, MaxOffset, 0, ref error);
        var cursor = ReadCursor(query, ref error);
        var status = ReadStatus(query, ref error);
        var type = ReadText(query, "type", ref error);
        var ascending = ReadChoice(query, "order", "asc", "desc", ref error);
        var total = ReadChoice(query, "include", "total", null, ref error);
        if (type?.Length > MaxTypeLength) error ??= new FieldError("type", $"type must have at most {MaxTypeLength} characters.");
        if (error is not null) return null;
        return new InboxQuery
        {
            OrganizationNo = organizationNo,
            Limit = limit,
            Cursor = cursor,
            Offset = offset,
            Status = status,
            Type = type,
            Ascending = ascending,
            IncludeTotal = total,
        };
    }

    private static string? ReadText(IQueryCollection query, string name, ref FieldError? error)
    {
        var values = query[name];
        if (values.Count > 1) error ??= new FieldError(name, $"{name} was sent {values.Count} times; send it once.");
        return values.Count == 1 && values[0] is { Length: > 0 } text ? text : null;
    }

    private static int ReadNumber(IQueryCollection query, string name, int least, int most, int absent, ref FieldError? error)
    {
        if (ReadText(query, name, ref error) is not { } text) return absent;
        // Digits only: the framework's reader passes over a NUL at the end.
        var isNumber = !text.AsSpan().ContainsAnyExceptInRange('0', '9');
        if (isNumber && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most)
            return number;
        error ??= new FieldError(name, $"{name} must be a whole number from {least} to {most}.");
        return absent;
    }

    private static EventId? ReadCursor(IQueryCollection query, ref FieldError? error)
    {
        if (ReadText(query, "cursor", ref error) is not { } text) return null;
        if (EventId.TryParse(text, out var id)) return id;
        error ??= new FieldError("cursor", "cursor must be the id of the last event seen, as it stands in id or next_cursor.");
        return null;
    }

    private static EventStatus? ReadStatus(IQueryCollection query, ref FieldError? error)
    {
        if (ReadText(query, "status", ref error) is not { } text) return null;
        var status = StatusNames.Parse(text);
        if (status is null)
            error ??= new FieldError("status", "status must be pending, delivered, failed (= retrying) or dead_letter; none = all.");
        return status;
    }

    /// <summary>True for <paramref name="yes"/>; false for <paramref name="no"/> or when absent.</summary>
    private static bool ReadChoice(IQueryCollection query, string name, string yes, string? no, ref FieldError? error)
    {
        var text = ReadText(query, name, ref error);
        if (text is not null && text != yes && text != no)
            error ??= new FieldError(name, no is null ? $"{name} can only be {yes}." : $"{name} must be {yes} or {no}.");
        return text == yes;
    }
}
