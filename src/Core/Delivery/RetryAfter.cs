using System.Globalization;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Reads a <c>Retry-After</c> header (RFC 9110, 10.2.3): seconds of any length, or one of the three forms of an HTTP date.
/// </summary>
internal static class RetryAfter
{
    /// <summary>The longest wait that a receiver can ask for.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    private static readonly string[] DateForms =
        ["ddd, dd MMM yyyy HH':'mm':'ss 'GMT'", "dddd, dd-MMM-yy HH':'mm':'ss 'GMT'", "ddd MMM d HH':'mm':'ss yyyy"];

    /// <summary>The wait asked for, between 0 and <see cref="Longest"/>; null when the value is neither form (and so is ignored).</summary>
    public static TimeSpan? Parse(string? value, DateTimeOffset now)
    {
        var text = value.AsSpan().Trim();
        if (text.IsEmpty) return null;
        if (!text.ContainsAnyExceptInRange('0', '9')) return Seconds(text.TrimStart('0'));
        return DateTimeOffset.TryParseExact(
            text, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out var at)
            ? Clamp(at - now)
            : null;
    }

    /// <summary>More than six digits are more than a day, however many there are: nothing can overflow.</summary>
    private static TimeSpan Seconds(ReadOnlySpan<char> digits) => digits.Length switch
    {
        0 => TimeSpan.Zero,
        > 6 => Longest,
        _ => Clamp(TimeSpan.FromSeconds(int.Parse(digits, CultureInfo.InvariantCulture))),
    };

    private static TimeSpan Clamp(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait;
}
