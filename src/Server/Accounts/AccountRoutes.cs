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
    KeyCalls calls,
    Func<int, string?> webhookUrlOf)
{
    private static readonly RouteAccess Generate = new(RouteCaller.Registrar, Action: "organization.create");
    private static readonly RouteAccess Create = RouteAccess.KeysManage.Audited("key.create");
    private static readonly RouteAccess Rotate = RouteAccess.KeysManage.Audited("key.rotate");
    private static readonly RouteAccess Revoke = RouteAccess.KeysManage.Audited("key.revoke");

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(
            HttpMethods.Post, "/api/keys/generate", Generate, StorageAnswers.Guard((context, _) => registration.GenerateAsync(context)));
        routes.Map(HttpMethods.Post, "/api/keys/rotate", Rotate, StorageAnswers.Guard((context, _) => rotation.RotateAsync(context)));
        routes.Map(HttpMethods.Get, "/api/keys", RouteAccess.KeysManage, (context, _) => ListAsync(context));
        routes.Map(HttpMethods.Post, "/api/keys", Create, StorageAnswers.Guard((context, _) => calls.CreateAsync(context)));
        routes.Map(HttpMethods.Delete, "/api/keys/{id}", Revoke, StorageAnswers.Guard(calls.RevokeAsync));
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
            KeyJson.WriteKeys(writer, s.Keys);
            writer.WriteEndObject();
        });
    }
}
