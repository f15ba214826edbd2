using System.Globalization;
using System.Text.RegularExpressions;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>Where a new endpoint's lane begins: now, at an event, or at a time.</summary>
/// <param name="Before">The place before the first event to send; null = now.</param>
internal sealed partial record StartPlace(EventId? Before)
{
    /// <summary>Reads <c>now</c>, an event's id, or an RFC 3339 time; null when it is none of them.</summary>
    public static StartPlace? Read(string text)
    {
        if (text == "now") return new StartPlace((EventId?)null);
        if (EventId.TryParse(text, out var id)) return new StartPlace(Previous(id));
        return Time().IsMatch(text) && DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? new StartPlace(EventId.LowerBound(time))
            : null;
    }

    /// <summary>The place, given the one behind all that was accepted until now; null when it is still to come.</summary>
    public EventId? Resolve(EventId last) => Before is not { } before ? last : before <= last ? before : null;

    private static EventId Previous(EventId id) =>
        id.IsZero ? id : id.Low > 0 ? new EventId(id.High, id.Low - 1) : new EventId(id.High - 1, ulong.MaxValue);

    // RFC 3339, 5.6: date and time with an offset.
    [GeneratedRegex(
        @"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Time();
}
