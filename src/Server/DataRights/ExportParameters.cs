using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;
using ZapierTriggers.Server.Webhooks;

namespace ZapierTriggers.Server.DataRights;

/// <summary>The query parameters of an export. An empty value counts as absent, an unknown parameter is ignored.</summary>
/// <param name="Format">The form.</param>
/// <param name="Type">Only events of exactly this type; null = all.</param>
/// <param name="Status">Only events of this status; null = all.</param>
/// <param name="From">Only events accepted then or later.</param>
/// <param name="To">Only events accepted before.</param>
internal sealed record ExportParameters(ExportFormat Format, string? Type, EventStatus? Status, DateTimeOffset? From, DateTimeOffset? To)
{
    /// <summary>Reads them; null with an error when one has a bad value.</summary>
    public static ExportParameters? Read(IQueryCollection query, out FieldError? error)
    {
        error = null;
        var format = FormatOf(TextOf(query, "format", ref error), ref error);
        var type = ReplayFields.CheckType(TextOf(query, "type", ref error), ref error);
        var status = StatusOf(TextOf(query, "status", ref error), ref error);
        var from = ReplayFields.CheckTime(TextOf(query, "from", ref error), "from", ref error);
        var to = ReplayFields.CheckTime(TextOf(query, "to", ref error), "to", ref error);
        if (from >= to) error ??= new FieldError("to", "to must be later than from: events accepted from from on and before to are meant.");
        return error is null ? new ExportParameters(format!, type, status, from, to) : null;
    }

    /// <summary>What to read: what was accepted before now, and has not expired.</summary>
    public InboxQuery Query(Organization organization, EventId? cutoff, DateTimeOffset now)
    {
        var first = From is { } from ? EventId.LowerBound(from) : default;
        var end = EventsBefore.Now(organization, now);
        return new InboxQuery
        {
            OrganizationNo = organization.No,
            Ascending = true,
            Type = Type,
            Status = Status,
            NotBefore = cutoff > first ? cutoff : first,
            Before = To is { } to && EventId.LowerBound(to) < end ? EventId.LowerBound(to) : end,
        };
    }

    private static string? TextOf(IQueryCollection query, string name, ref FieldError? error)
    {
        var values = query[name];
        if (values.Count > 1) error ??= new FieldError(name, $"{name} was sent {values.Count} times; send it once.");
        return values.Count == 1 && values[0] is { Length: > 0 } text ? text : null;
    }

    private static ExportFormat? FormatOf(string? text, ref FieldError? error)
    {
        if (text is null) return ExportFormat.All[0];
        var format = ExportFormat.All.FirstOrDefault(one => one.Name == text);
        if (format is null) error ??= new FieldError("format", "format must be ndjson, csv or json; none = ndjson.");
        return format;
    }

    private static EventStatus? StatusOf(string? text, ref FieldError? error)
    {
        if (text is null) return null;
        var status = StatusNames.Parse(text);
        if (status is null)
            error ??= new FieldError("status", "status must be pending, delivered, failed (= retrying) or dead_letter; none = all.");
        return status;
    }
}

/// <summary>Where a call that takes its time stops: at what was accepted before it.</summary>
internal static class EventsBefore
{
    /// <summary>Every event accepted so far is before this id, and every one of a later millisecond is not.</summary>
    public static EventId Now(Organization organization, DateTimeOffset now)
    {
        var position = ((ulong)now.ToUnixTimeMilliseconds() + 1) << 16;
        return new EventId(Math.Max(position, organization.LastAccepted + 1), 0);
    }
}
