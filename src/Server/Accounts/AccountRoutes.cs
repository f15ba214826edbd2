using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// The calls under <c>/api/keys</c>. <c>webhookUrlOf</c> gives the default webhook URL of the organization with that number, or null.
/// </summary>
internal sealed class AccountRoutes(
    AccountDirectory directory,
    Authentication authentication,
    Registration registration,
    KeyRotation rotation,
    Func<int, string?> webhookUrlOf)
{
    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(HttpMethods.Post, "/api/keys/generate", StorageAnswers.Guard((context, _) => registration.GenerateAsync(context)));
        routes.Map(HttpMethods.Post, "/api/keys/rotate", StorageAnswers.Guard((context, _) => rotation.RotateAsync(context)));
        routes.Map(HttpMethods.Get, "/api/keys", (context, _) => ListAsync(context));
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } caller) return;
        var organization = caller.Organization;
        var state = (organization.Record, WebhookUrl: webhookUrlOf(organization.No), Keys: directory.KeysOf(organization));
        await Answers.JsonAsync(context, StatusCodes.Status200OK, state, static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteString("organization_id"u8, s.Record.Id);
            writer.WriteString("organization_name"u8, s.Record.Name);
            writer.WriteString("tier"u8, s.Record.Tier);
            writer.WriteNullable("rate_limit_per_minute"u8, s.Record.RateLimitPerMinute);
            writer.WriteString("webhook_url"u8, s.WebhookUrl);
            writer.WriteTime("created_at"u8, s.Record.CreatedAt);
            writer.WriteTime("updated_at"u8, s.Record.UpdatedAt);
            writer.WriteStartArray("keys"u8);
            foreach (var key in s.Keys) WriteKey(writer, key);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static void WriteKey(Utf8JsonWriter writer, ApiKey key)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, key.Record.Id);
        writer.WriteString("prefix"u8, key.Record.Prefix);
        writer.WriteString("name"u8, key.Record.Name);
        writer.WriteStartArray("scopes"u8);
        foreach (var scope in key.Scopes.NamesOf()) writer.WriteStringValue(scope);
        writer.WriteEndArray();
        writer.WriteTime("created_at"u8, key.Record.CreatedAt);
        writer.WriteTime("last_used_at"u8, key.LastUsedAt);
        writer.WriteTime("expires_at"u8, key.EndsAt == long.MaxValue ? null : DateTimeOffset.FromUnixTimeMilliseconds(key.EndsAt));
        writer.WriteEndObject();
    }
}
