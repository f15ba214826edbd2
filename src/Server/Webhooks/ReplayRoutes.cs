using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>Sending an event again, recovering an endpoint, and how far the replays of many deliveries are.</summary>
internal sealed class ReplayRoutes(ReplayCalls calls)
{
    private const int MaxListed = 100;
    private const int MaxBodyBytes = 16 * 1024;

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.MapBoth(
            HttpMethods.Post, "/events/{id}/replay", RouteAccess.WebhooksManage.Audited("event.replay"),
            StorageAnswers.Guard(ReplayEventAsync));
        routes.Map(HttpMethods.Post, "/api/endpoints/{id}/recover", RouteAccess.WebhooksManage.Audited("endpoint.recover"), StorageAnswers.Guard(RecoverAsync));
        routes.Map(HttpMethods.Get, "/api/replays", RouteAccess.ReplaysRead, StorageAnswers.Guard((context, _) => ListAsync(context)));
        routes.Map(HttpMethods.Get, "/api/replays/{id}", RouteAccess.ReplaysRead, StorageAnswers.Guard(FindAsync));
    }

    private async Task ReplayEventAsync(HttpContext context, string? id)
    {
        if (await calls.MaySendAsync(context) is not { } key) return;
        var (isRead, endpointId) = await ReplayCalls.ReadEndpointIdAsync(context);
        if (!isRead) return;
        if (!EventId.TryParse(id, out var eventId))
        {
            await InboxRoutes.NotFoundAsync(context);
            return;
        }

        if (!await calls.SeesWritesAsync(context, key.Organization)) return;

        // Not cancelled when the caller hangs up: what is queued must be told to the dispatcher.
        var replayed = await calls.Store.ReplayEventAsync(key.Organization.No, eventId, endpointId, calls.Now, CancellationToken.None);
        await (replayed switch
        {
            { Found: false } => InboxRoutes.NotFoundAsync(context),
            { Count: 0 } when endpointId is not null => ReplayCalls.EndpointNotFoundAsync(context),
            { Count: 0 } => ReplayCalls.NoEndpointAsync(context),
            _ => calls.AnswerReplayedAsync(context, eventId, replayed),
        });
    }

    private async Task RecoverAsync(HttpContext context, string? id)
    {
        if (await calls.MaySendAsync(context) is not { } key) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        _ = UuidText.TryParse(id, out var endpointId);
        if (!await calls.Store.HasEndpointAsync(key.Organization.No, endpointId, context.RequestAborted))
        {
            await ReplayCalls.EndpointNotFoundAsync(context);
            return;
        }

        if (ReplayRequest.ReadRecovery(body.RootElement, endpointId, calls.Now, out var error) is not { } request)
        {
            await error!.AnswerAsync(context);
            return;
        }

        AuditedCall.Current?.Note("endpoint_id", endpointId);
        await calls.BeginAsync(context, key.Organization, request);
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await calls.MayReadAsync(context) is not { } key) return;
        var jobs = await calls.Store.ReadJobsAsync(key.Organization.No, MaxListed, context.RequestAborted);
        await Answers.ListAsync(context, jobs, ReplayJson.WriteJobs);
    }

    private async Task FindAsync(HttpContext context, string? id)
    {
        if (await calls.MayReadAsync(context) is not { } key) return;
        var job = UuidText.TryParse(id, out var jobId)
            ? await calls.Store.FindJobAsync(key.Organization.No, jobId, context.RequestAborted)
            : null;
        await (job is null
            ? Answers.ProblemAsync(
                context, Problem.ReplayNotFound, "Your organization has no replay with this id. GET /api/replays lists the latest.")
            : Answers.JsonAsync(context, StatusCodes.Status200OK, job, ReplayJson.WriteJob));
    }
}
