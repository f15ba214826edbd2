using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>The calls under <c>/api/endpoints</c>: many webhook endpoints of one organization.</summary>
internal sealed class EndpointRoutes(
    Authenticate authenticate, Dispatcher dispatcher, AddressGuard guard, DeliveryOptions options, TimeProvider time)
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int RetrySeconds = 5;
    private const string Collection = "/api/endpoints";
    private const string One = "/api/endpoints/{id}";

    private const string NotKnownIfMade =
        "It is not known whether the endpoint was stored. Send exactly the same request again: it is then made once, and the answer has its "
        + "secret.";

    private const string NotKnownIfChanged =
        "It is not known whether the change was stored. Send the same request again until it is answered.";

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(
            HttpMethods.Post, Collection, RouteAccess.WebhooksManage.Audited("endpoint.create"), (context, _) => CreateAsync(context));
        routes.Map(HttpMethods.Get, Collection, RouteAccess.WebhooksManage, (context, _) => ListAsync(context));
        routes.Map(HttpMethods.Get, One, RouteAccess.WebhooksManage, ReadAsync);
        routes.Map(HttpMethods.Patch, One, RouteAccess.WebhooksManage.Audited("endpoint.update"), ChangeAsync);
        routes.Map(HttpMethods.Delete, One, RouteAccess.WebhooksManage.Audited("endpoint.delete"), RemoveAsync);
        routes.Map(HttpMethods.Post, One + "/rotate-secret", RouteAccess.WebhooksManage.Audited("endpoint.rotate_secret"), RotateAsync);
        new EndpointTests(authenticate, dispatcher, options, time).Map(routes, One + "/test");
    }

    /// <summary>An id's endpoint in the organization; null after the 404, the same for another's, an unknown and a malformed id.</summary>
    public static async ValueTask<EndpointRecord?> FindOrAnswerAsync(
        HttpContext context, Dispatcher dispatcher, Organization organization, string? id)
    {
        if (UuidText.TryParse(id, out var endpointId) && dispatcher.Find(organization.No, endpointId) is { } found) return found;
        await NotFoundAsync(context);
        return null;
    }

    /// <summary>An endpoint that has been removed meanwhile is as it was.</summary>
    private EndpointNow Now(EndpointRecord endpoint) =>
        new(endpoint, dispatcher.HealthOf(endpoint.OrganizationNo, endpoint.Id) ?? EndpointHealth.Disabled(endpoint));

    private static Task NotFoundAsync(HttpContext context) => Answers.ProblemAsync(
        context, Problem.EndpointNotFound, "Your organization has no endpoint with this id. GET /api/endpoints lists those it has.");

    private async Task ListAsync(HttpContext context)
    {
        if (await authenticate(context) is not { } key) return;
        EndpointNow[] all = [.. dispatcher.EndpointsOf(key.Organization.No).Select(Now)];
        await Answers.ListAsync(context, all, EndpointJson.WriteAll);
    }

    private async Task ReadAsync(HttpContext context, string? id)
    {
        if (await authenticate(context) is not { } key) return;
        if (await FindOrAnswerAsync(context, dispatcher, key.Organization, id) is not { } endpoint) return;
        await Answers.JsonAsync(context, StatusCodes.Status200OK, Now(endpoint), EndpointJson.Write);
    }

    private async Task CreateAsync(HttpContext context)
    {
        if (await authenticate(context) is not { } key) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null || await FieldsOrAnswerAsync(context, body.RootElement, making: true) is not { } fields) return;
        var now = time.GetMilliseconds();
        var last = EndpointConfiguration.LastPlace(key.Organization.LastAccepted, now);
        if ((fields.Start?.Resolve(last) ?? (fields.Start is null ? last : null)) is not { } place)
        {
            await new FieldError("start", "start is still to come; send \"now\", or a place that has been reached.").AnswerAsync(context);
            return;
        }

        var made = Made(key.Organization.No, fields, place, now);
        var call = body.RootElement.GetRawText();
        await WriteAsync(
            context,
            () => dispatcher.CreateAsync(made, call, CancellationToken.None),
            NotKnownIfMade,
            change => change.Endpoint is { } endpoint
                ? Answers.JsonAsync(context, StatusCodes.Status201Created, Now(endpoint), EndpointJson.WriteMade)
                : RefuseAsync(context, change.Refusal));
    }

    private async Task ChangeAsync(HttpContext context, string? id)
    {
        if (await authenticate(context) is not { } key) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null || await FindOrAnswerAsync(context, dispatcher, key.Organization, id) is not { } known) return;
        if (await FieldsOrAnswerAsync(context, body.RootElement, making: false) is not { } fields) return;
        AuditedCall.Current?.Note("fields", body.RootElement.EnumerateObject().Select(static field => field.Name).ToArray());
        await WriteAsync(
            context,
            () => dispatcher.ChangeAsync(
                key.Organization.No, known.Id, fields.ApplyTo, fields.Patterns, key.Organization.LastAccepted, CancellationToken.None),
            NotKnownIfChanged,
            change => change.Endpoint is { } endpoint
                ? Answers.JsonAsync(context, StatusCodes.Status200OK, Now(endpoint), EndpointJson.Write)
                : RefuseAsync(context, change.Refusal));
    }

    private async Task RemoveAsync(HttpContext context, string? id)
    {
        if (await authenticate(context) is not { } key) return;
        if (await FindOrAnswerAsync(context, dispatcher, key.Organization, id) is not { } known) return;
        await WriteAsync(
            context,
            () => dispatcher.RemoveAsync(key.Organization.No, known.Id, CancellationToken.None),
            NotKnownIfChanged,
            removed =>
            {
                if (!removed) return NotFoundAsync(context);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
            });
    }

    private async Task RotateAsync(HttpContext context, string? id)
    {
        if (await authenticate(context) is not { } key) return;
        if (await FindOrAnswerAsync(context, dispatcher, key.Organization, id) is not { } known) return;
        await WriteAsync(
            context,
            () => dispatcher.RotateSecretAsync(key.Organization.No, known.Id, CancellationToken.None),
            NotKnownIfChanged,
            rotated => rotated is null
                ? NotFoundAsync(context)
                : Answers.JsonAsync(context, StatusCodes.Status200OK, rotated, EndpointJson.WriteRotated));
    }

    /// <summary>What was sent; null after a 422.</summary>
    private async ValueTask<EndpointFields?> FieldsOrAnswerAsync(HttpContext context, System.Text.Json.JsonElement body, bool making)
    {
        if (EndpointFields.Read(body, making, out var error) is not { } fields)
        {
            await error!.AnswerAsync(context);
            return null;
        }

        var refusal = fields.Url is { } url ? guard.CheckUrl(url, out _) : UrlRefusal.None;
        if (refusal == UrlRefusal.None) return fields;
        await Answers.ProblemAsync(context, Problem.InvalidUrl, refusal.Explain(), ("field", "url"));
        return null;
    }

    private static EndpointRecord Made(int organizationNo, EndpointFields fields, EventId place, DateTimeOffset now) => fields.ApplyTo(new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organizationNo,
        IsDefault = false,
        Url = "",
        Secret = WebhookSecret.Generate(),
        Enabled = true,
        DeliveredThrough = place,
        StartsAfter = place,
        Filters = fields.Patterns is { } patterns ? new EndpointFilters([new FilterVersion(place, patterns)]) : EndpointFilters.None,
        CreatedAt = now,
        UpdatedAt = now,
    });

    private Task RefuseAsync(HttpContext context, EndpointRefusal refusal) => refusal switch
    {
        EndpointRefusal.TooManyEndpoints => Answers.ProblemAsync(
            context,
            Problem.TooManyEndpoints,
            $"Your organization has {options.MaxEndpoints} endpoints, which is the most it may have; remove one first.",
            ("limit", options.MaxEndpoints)),
        EndpointRefusal.TooManyFilters => new FieldError(
            "event_types",
            $"event_types was changed {EndpointFilters.MaxVersions} times while events wait to be sent; change it again when they are.")
            .AnswerAsync(context),
        _ => NotFoundAsync(context),
    };

    /// <summary>Writes until it is certain whether it happened, or says honestly that it is not known.</summary>
    private static async Task WriteAsync<T>(HttpContext context, Func<Task<T>> write, string notKnown, Func<T, Task> answer)
    {
        T written;
        try
        {
            written = await CertainWrite.RunAsync(_ => write());
        }
        catch (StoreException away) when (away.Failure == StoreFailure.Unavailable)
        {
            await Answers.ProblemAsync(context, Problem.StorageUnavailable, notKnown, ("retry_after_seconds", RetrySeconds));
            return;
        }

        await answer(written);
    }
}
