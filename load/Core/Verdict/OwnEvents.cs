using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>
/// Events that the server itself tells an organization: of endpoints that fail, of dead letters, of limits that are near. They are in its
/// inbox and go to its endpoints like those that it has sent. What tells them is their type, and a dedup id that begins with
/// <c>zap:</c> and the type.
/// </summary>
internal static class OwnEvents
{
    private static readonly (string Type, byte[] Utf8)[] Known =
    [
        .. ((string[])
        [
            OperationalEvent.EndpointFailing,
            OperationalEvent.EndpointDisabled,
            OperationalEvent.EndpointRecovered,
            OperationalEvent.EventDeadLetter,
            OperationalEvent.RateLimitWarning,
            OperationalEvent.RateLimitReached,
            OperationalEvent.QuotaWarning,
            OperationalEvent.QuotaReached,
        ]).Select(type => (type, Encoding.UTF8.GetBytes(type))),
    ];

    /// <summary>Their types.</summary>
    public static IEnumerable<string> Types => Known.Select(known => known.Type);

    /// <summary>Which of the types the reader's value is; null for none. Makes no text of it.</summary>
    public static string? FindType(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String) return null;
        foreach (var (type, utf8) in Known)
        {
            if (reader.ValueTextEquals(utf8)) return type;
        }

        return null;
    }

    /// <summary>Whether an event is one of these.</summary>
    /// <param name="type">One of <see cref="Types"/>, or null.</param>
    /// <param name="dedupId">Its dedup id.</param>
    public static bool IsOne(string? type, string? dedupId) =>
        type is not null && dedupId is not null && dedupId.StartsWith($"zap:{type}:", StringComparison.Ordinal);
}
