using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>Dead letters: listed, and sent again one by one or many at a time.</summary>
internal sealed class DeadLetterRoutes(ReplayCalls calls)
{
    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(HttpMethods.Get, "/api/dead-letters", RouteAccess.ReplaysRead, StorageAnswers.Guard((context, _) => ListAsync(context)));
        routes.Map(HttpMethods.Post, "/api/dead-letters/replay", RouteAccess.WebhooksManage.Audited("dead_letters.replay"), StorageAnswers.Guard((context, _) => ReplayManyAsync(context)));
        routes.Map(HttpMethods.Post, "/api/dead-letters/{id}/replay", RouteAccess.WebhooksManage.Audited("dead_letter.replay"), StorageAnswers.Guard(ReplayOneAsync));
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await calls.MayReadAsync(context) is not { } key) return;
        if (DeadLetterParameters.Read(context.Request.Query, key.Organization.No, out var error) is not { } query)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (!await calls.SeesWritesAsync(context, key.Organization)) return;
        var page = await calls.Store.ReadAsync(query, context.RequestAborted);
        await Answers.ListAsync(context, (page, query.Limit), ReplayJson.WritePage);
    }

    private async Task ReplayOneAsync(HttpContext context, string? id)
    {
        if (await calls.MaySendAsync(context) is not { } key) return;
        var (isRead, endpointId) = await ReplayCalls.ReadEndpointIdAsync(context);
        if (!isRead) return;
        if (!EventId.TryParse(id, out var eventId))
        {
            await NotFoundAsync(context);
            return;
        }

        if (!await calls.SeesWritesAsync(context, key.Organization)) return;

        // Not cancelled when the caller hangs up: what is queued must be told to the dispatcher.
        var replayed = await calls.Store.ReplayDeadLettersAsync(
            key.Organization.No, eventId, endpointId, calls.Now, CancellationToken.None);
        await (replayed switch
        {
            { Found: false } => NotFoundAsync(context),
            { Count: 0 } => ReplayCalls.NoEndpointAsync(context),
            _ => calls.AnswerReplayedAsync(context, eventId, replayed),
        });
    }

    private async Task ReplayManyAsync(HttpContext context)
    {
        if (await calls.MaySendAsync(context) is not { } key) return;
        var (isRead, body) = await ReplayCalls.ReadOptionalAsync(context);
        using var read = body;
        if (!isRead) return;
        if (ReplayRequest.Read(body?.RootElement, out var error) is not { } request)
        {
            await error!.AnswerAsync(context);
            return;
        }

        await calls.BeginAsync(context, key.Organization, request);
    }

    private static Task NotFoundAsync(HttpContext context) => Answers.ProblemAsync(
        context,
        Problem.DeadLetterNotFound,
        "Your organization has no dead letter of an event with this id. GET /api/dead-letters lists them; POST /api/events/{id}/replay sends any event again.");
}
