using System.Diagnostics;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>
/// Reading: <c>GET /api/inbox</c> and <c>GET /api/events/{id}</c>. Both wait at the barrier first, so they show what was answered before
/// them.
/// </summary>
internal sealed class InboxRoutes(
    IEventStore store,
    Authentication authentication,
    StoredBarrier barrier,
    PageRoom room,
    EndpointsOf endpointsOf,
    Func<Organization, EventId?> cutoffOf,
    InboxMarkAdvancer marks)
{
    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.MapBoth(HttpMethods.Get, "/inbox", RouteAccess.InboxRead, StorageAnswers.Guard((context, _) => ListAsync(context)));
        routes.MapBoth(HttpMethods.Get, "/events/{id}", RouteAccess.InboxRead, StorageAnswers.Guard(FindAsync));
    }

    /// <summary>Answers that the caller's organization has no such event; the same for another's, an unknown and a malformed id.</summary>
    public static Task NotFoundAsync(HttpContext context) => Answers.ProblemAsync(
        context,
        Problem.EventNotFound,
        "Your organization has no event with this id. Ids are those that POST /api/events and GET /api/inbox answer.");

    private async Task ListAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxRead) is not { } key) return;
        if (InboxParameters.Read(context.Request.Query, key.Organization.No, out var error) is not { } query)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (!await barrier(key.Organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        query = query with { NotBefore = cutoffOf(key.Organization) };
        if (await ReadAsync(query, context.RequestAborted) is not { } page)
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        try
        {
            await InboxAnswer.WriteAsync(context, query, page);
        }
        finally
        {
            room.Release(page);
        }
    }

    /// <summary>Reads the page, and tells whom it concerns how long that took, a page that failed after all too.</summary>
    private async Task<InboxPage?> ReadAsync(InboxQuery query, CancellationToken cancellationToken)
    {
        if (query.Status != EventStatus.Pending) return await room.ReadAsync(store, query, cancellationToken);
        var start = Stopwatch.GetTimestamp();
        try
        {
            return await room.ReadAsync(store, query, cancellationToken);
        }
        finally
        {
            marks.Offer(query.OrganizationNo, Stopwatch.GetElapsedTime(start));
        }
    }

    private async Task FindAsync(HttpContext context, string? id)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxRead) is not { } key) return;
        if (!EventId.TryParse(id, out var eventId) || eventId < cutoffOf(key.Organization))
        {
            await NotFoundAsync(context);
            return;
        }

        if (!await barrier(key.Organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        var found = await store.FindEventAsync(key.Organization.No, eventId, context.RequestAborted);
        if (found is null)
        {
            await NotFoundAsync(context);
            return;
        }

        var deliveries = EventDelivery.Of(found, endpointsOf(key.Organization.No));
        await Answers.JsonAsync(context, StatusCodes.Status200OK, (found, deliveries), EventJson.WriteDetail);
    }
}
