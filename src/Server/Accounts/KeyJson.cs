using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>Keys as answers show them: never the key itself, but once, when it was made.</summary>
internal static class KeyJson
{
    /// <summary>A list of keys, as the field <c>keys</c>.</summary>
    public static void WriteKeys(Utf8JsonWriter writer, IReadOnlyList<ApiKey> keys)
    {
        writer.WriteStartArray("keys"u8);
        foreach (var key in keys)
        {
            writer.WriteStartObject();
            WriteFields(writer, key);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>A key that was made just now, with its text.</summary>
    public static void WriteMade(Utf8JsonWriter writer, (ApiKey Key, string Text) made)
    {
        writer.WriteStartObject();
        writer.WriteString("organization_id"u8, made.Key.Organization.Id);
        writer.WriteString("api_key"u8, made.Text);
        WriteFields(writer, made.Key);
        writer.WriteString("message"u8, "Key made. Send it as X-API-Key with each call.");
        writer.WriteString("warning"u8, "Keep the key safe: it is shown only this once and cannot be recovered, only rotated.");
        writer.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter writer, ApiKey key)
    {
        writer.WriteString("id"u8, key.Record.Id);
        writer.WriteString("prefix"u8, key.Record.Prefix);
        writer.WriteString("name"u8, key.Record.Name);
        writer.WriteStartArray("scopes"u8);
        foreach (var scope in key.Scopes.NamesOf()) writer.WriteStringValue(scope);
        writer.WriteEndArray();
        writer.WriteTime("created_at"u8, key.Record.CreatedAt);
        writer.WriteTime("last_used_at"u8, key.LastUsedAt);
        writer.WriteTime("expires_at"u8, key.EndsAt == long.MaxValue ? null : DateTimeOffset.FromUnixTimeMilliseconds(key.EndsAt));
    }
}
