using System.Globalization;
using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Usage;

/// <summary>The answer of <c>GET /api/usage</c>.</summary>
/// <param name="Organization">Whose.</param>
/// <param name="Asked">Which days.</param>
/// <param name="Sums">What there is of them; several of a day and kind add up.</param>
/// <param name="Quota">The quota now.</param>
internal sealed record UsageReport(OrganizationRecord Organization, UsageParameters Asked, IReadOnlyList<UsageSum> Sums, QuotaState Quota)
{
    /// <summary>Writes it: every day that was asked for, those without anything too.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("organization_id"u8, Organization.Id);
        writer.WriteString("tier"u8, Organization.Tier);
        WriteDate(writer, "from"u8, Asked.From);
        WriteDate(writer, "to"u8, Asked.To);
        var byDay = Sums.ToLookup(static sum => sum.Day);
        writer.WriteStartArray("days"u8);
        var (first, last) = Asked.Days;
        for (var day = first; day <= last; day++)
        {
            // By number: there is no date behind 9999-12-31.
            writer.WriteStartObject();
            WriteDate(writer, "date"u8, UsageTime.DateOf(day));
            WriteCounts(writer, byDay[day]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("totals"u8);
        WriteCounts(writer, Sums);
        writer.WriteEndObject();
        WriteQuota(writer, Quota);
        writer.WriteEndObject();
    }

    /// <summary>Writes the member <c>quota</c>; null = there are no quotas.</summary>
    public static void WriteQuota(Utf8JsonWriter writer, QuotaState? quota)
    {
        writer.WriteStartObject("quota"u8);
        writer.WriteNullable("limit"u8, quota?.Limit);
        writer.WriteNullable("used"u8, quota?.Used);
        writer.WriteNullable("remaining"u8, quota?.Remaining);
        writer.WriteTime("resets_at"u8, quota?.ResetsAt);
        writer.WriteEndObject();
    }

    private static void WriteCounts(Utf8JsonWriter writer, IEnumerable<UsageSum> sums)
    {
        var (counts, bytes) = (new Dictionary<UsageKind, long>(), 0L);
        foreach (var sum in sums)
        {
            counts[sum.Kind] = counts.GetValueOrDefault(sum.Kind) + sum.Events;
            bytes += sum.Bytes;
        }

        writer.WriteNumber("accepted"u8, counts.GetValueOrDefault(UsageKind.Accepted));
        writer.WriteStartObject("refused"u8);
        writer.WriteNumber("rate_limit"u8, counts.GetValueOrDefault(UsageKind.RateLimited));
        writer.WriteNumber("quota"u8, counts.GetValueOrDefault(UsageKind.OverQuota));
        writer.WriteNumber("duplicate"u8, counts.GetValueOrDefault(UsageKind.Duplicate));
        writer.WriteNumber("invalid"u8, counts.GetValueOrDefault(UsageKind.Invalid));
        writer.WriteNumber("too_large"u8, counts.GetValueOrDefault(UsageKind.TooLarge));
        writer.WriteNumber("unavailable"u8, counts.GetValueOrDefault(UsageKind.Unavailable));
        writer.WriteEndObject();
        writer.WriteNumber("delivered"u8, counts.GetValueOrDefault(UsageKind.Delivered));
        writer.WriteNumber("acknowledged"u8, counts.GetValueOrDefault(UsageKind.Acknowledged));
        writer.WriteNumber("bytes"u8, bytes);
    }

    private static void WriteDate(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateOnly date) =>
        writer.WriteString(name, date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
}
