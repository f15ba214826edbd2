using System.Globalization;

namespace ZapierTriggers.Server.Http;

/// <summary>Reads times as clients write them.</summary>
internal static class TimeText
{
    /// <summary>What to send, for errors.</summary>
    public const string Form = "a time in RFC 3339 with its offset, such as 2026-01-31T12:00:00Z (in a query, + is written %2B)";

    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Reads RFC 3339, the offset included, of 1970 or later.</summary>
    public static bool TryParse(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time)
        && time >= DateTimeOffset.UnixEpoch
        && (text[^1] == 'Z' || text.AsSpan(10).ContainsAny('+', '-'));
}
