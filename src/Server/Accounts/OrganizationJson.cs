using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>Organizations as the administrator sees them.</summary>
internal static class OrganizationJson
{
    /// <summary>A page of them.</summary>
    public static void WritePage(Utf8JsonWriter writer, (IReadOnlyList<OrganizationRecord> Page, bool HasMore, int Limit) state)
    {
        var (page, hasMore, limit) = state;
        writer.WriteStartObject();
        writer.WriteStartArray("organizations"u8);
        foreach (var record in page)
        {
            writer.WriteStartObject();
            WriteFields(writer, record);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("next_cursor"u8, hasMore ? OrganizationList.CursorOf(page[^1]) : null);
        writer.WriteBoolean("has_more"u8, hasMore);
        writer.WriteNumber("count"u8, page.Count);
        writer.WriteNumber("limit"u8, limit);
        writer.WriteEndObject();
    }

    /// <summary>One of them.</summary>
    public static void Write(Utf8JsonWriter writer, OrganizationRecord record)
    {
        writer.WriteStartObject();
        WriteFields(writer, record);
        writer.WriteEndObject();
    }

    /// <summary>One of them with its keys and its default webhook.</summary>
    public static void WriteDetails(
        Utf8JsonWriter writer, (OrganizationRecord Record, string? WebhookUrl, IReadOnlyList<ApiKey> Keys) state)
    {
        writer.WriteStartObject();
        WriteFields(writer, state.Record);
        writer.WriteString("webhook_url"u8, state.WebhookUrl);
        KeyJson.WriteKeys(writer, state.Keys);
        writer.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter writer, OrganizationRecord record)
    {
        writer.WriteString("organization_id"u8, record.Id);
        writer.WriteString("organization_name"u8, record.Name);
        writer.WriteString("tier"u8, record.Tier);
        writer.WriteNullable("rate_limit_per_minute"u8, record.RateLimitPerMinute);
        writer.WriteString("status"u8, record.SuspendedAt is null ? "active"u8 : "suspended"u8);
        writer.WriteTime("suspended_at"u8, record.SuspendedAt);
        writer.WriteString("suspended_reason"u8, record.SuspendedReason);
        writer.WriteTime("created_at"u8, record.CreatedAt);
        writer.WriteTime("updated_at"u8, record.UpdatedAt);
    }
}
