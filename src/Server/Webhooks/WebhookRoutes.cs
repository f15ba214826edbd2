using System.Globalization;
using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>The key of a request; null after the 401 or 403 has been answered.</summary>
internal delegate ValueTask<ApiKey?> Authenticate(HttpContext context);

/// <summary>The calls that configure webhooks.</summary>
internal sealed class WebhookRoutes(Authenticate authenticate, Dispatcher dispatcher, AddressGuard guard)
{
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes) =>
        routes.Map(HttpMethods.Post, "/api/webhook/config", RouteAccess.WebhooksManage.Audited("endpoint.set_default"), ConfigureAsync);

    /// <summary><c>POST /api/webhook/config</c>: sets where the organization's default endpoint is.</summary>
    private async Task ConfigureAsync(HttpContext context, string? id)
    {
        if (await authenticate(context) is not { } key) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        var (url, field) = ReadUrl(body.RootElement, out var problem);
        if (problem is not null)
        {
            await Answers.ProblemAsync(context, Problem.InvalidField, problem, ("field", field));
            return;
        }

        var refusal = guard.CheckUrl(url, out _);
        if (refusal != UrlRefusal.None)
        {
            await Answers.ProblemAsync(context, Problem.InvalidUrl, refusal.Explain(), ("field", field));
            return;
        }

        await SaveAsync(context, key.Organization, url!);
    }

    private async Task SaveAsync(HttpContext context, Organization organization, string url)
    {
        EndpointRecord endpoint;
        try
        {
            endpoint = await dispatcher.SetDefaultAsync(organization.No, url, organization.LastAccepted, context.RequestAborted);
        }
        catch (StoreException exception) when (exception.Failure == StoreFailure.Unavailable)
        {
            await Answers.ProblemAsync(
                context,
                Problem.StorageUnavailable,
                "It is not known whether the webhook was stored. Send the request again until it is answered.",
                ("retry_after_seconds", 5));
            return;
        }

        await Answers.JsonAsync(context, StatusCodes.Status200OK, (organization.Id, endpoint), static (writer, state) =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("success"u8, value: true);
            writer.WriteString("organization_id"u8, state.Id);
            writer.WriteString("webhook_url"u8, state.endpoint.Url);
            writer.WriteString("url"u8, state.endpoint.Url);
            writer.WriteString("secret"u8, state.endpoint.Secret);
            writer.WriteString(
                "updated_at"u8,
                state.endpoint.UpdatedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            writer.WriteString("message"u8, "Webhook configured; deliveries are signed with the secret");
            writer.WriteEndObject();
        });
    }

    /// <summary>The URL and the name it was given under; a problem in words when there is none to take.</summary>
    private static (string? Url, string Field) ReadUrl(JsonElement body, out string? problem)
    {
        problem = null;
        var named = body.TryGetProperty("webhook_url"u8, out var first) && first.ValueKind != JsonValueKind.Null;
        var aliased = body.TryGetProperty("url"u8, out var second) && second.ValueKind != JsonValueKind.Null;
        var field = named || !aliased ? "webhook_url" : "url";
        var value = named ? first : second;
        if (!named && !aliased) problem = "webhook_url is missing; send the URL that events are to be posted to.";
        else if (value.ValueKind != JsonValueKind.String) problem = $"{field} must be a string: the URL that events are to be posted to.";
        else if (named && aliased && !JsonElement.DeepEquals(first, second))
            problem = "webhook_url and url are the same field and differ here; send one of them.";
        return (problem is null ? value.GetString() : null, field);
    }
}
