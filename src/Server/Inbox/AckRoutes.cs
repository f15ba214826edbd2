using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>
/// Acknowledging, one event or up to 1,000. <c>acknowledged</c> is told the organization's number and the events once they are stored as
/// acknowledged, so that no new webhook try is started for them.
/// </summary>
internal sealed class AckRoutes(
    IEventStore store,
    Authentication authentication,
    StoredBarrier barrier,
    Action<int, IReadOnlyList<EventId>> acknowledged,
    TimeProvider time)
{
    // 1,000 ids of 39 characters with quotes and comma, and room for spaces and for strings that are no ids.
    private const int MaxBodyBytes = 256 * 1024;

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.MapBoth(HttpMethods.Post, "/ack/{id}", RouteAccess.InboxAck, StorageAnswers.Guard(AckOneAsync));
        routes.MapBoth(HttpMethods.Post, "/inbox/ack/{id}", RouteAccess.InboxAck, StorageAnswers.Guard(AckOneAsync));
        routes.MapBoth(HttpMethods.Post, "/ack", RouteAccess.InboxAck, StorageAnswers.Guard((context, _) => AckManyAsync(context)));
        routes.MapBoth(HttpMethods.Post, "/inbox/ack", RouteAccess.InboxAck, StorageAnswers.Guard((context, _) => AckManyAsync(context)));
    }

    private async Task AckOneAsync(HttpContext context, string? id)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxAck) is not { } key) return;
        if (!EventId.TryParse(id, out var eventId))
        {
            await InboxRoutes.NotFoundAsync(context);
            return;
        }

        if (await AcknowledgeAsync(context, key.Organization, [eventId]) is not { } times) return;
        await (times.TryGetValue(eventId, out var at) ? AnswerOneAsync(context, eventId, at) : InboxRoutes.NotFoundAsync(context));
    }

    private async Task AckManyAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxAck) is not { } key) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        if (AckRequest.Read(body.RootElement, out var error) is not { } request)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (await AcknowledgeAsync(context, key.Organization, request.ValidIds) is not { } times) return;
        var failed = request.EventIds.Where(text => !EventId.TryParse(text, out var id) || !times.ContainsKey(id)).ToList();
        await AnswerManyAsync(context, request.EventIds.Count - failed.Count, failed);
    }

    /// <summary>
    /// Waits at the barrier and acknowledges. When each was acknowledged, without those that the organization does not have; null after
    /// it has answered 503.
    /// </summary>
    private async ValueTask<Dictionary<EventId, DateTimeOffset>?> AcknowledgeAsync(
        HttpContext context, Organization organization, IReadOnlyList<EventId> ids)
    {
        var found = new Dictionary<EventId, DateTimeOffset>();
        if (ids.Count == 0) return found;
        if (!await barrier(organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return null;
        }

        // Not cancelled when the caller hangs up: what is stored as acknowledged must be told.
        var now = time.GetMilliseconds();
        var (times, added) = await store.AcknowledgeAsync(organization.No, ids, now, CancellationToken.None);
        Failpoint.Pass(Failpoint.AckCommitted);
        for (var i = 0; i < ids.Count; i++)
        {
            if (times[i] is { } at) found[ids[i]] = at;
        }

        organization.Usage.Add(UsageKind.Acknowledged, added);
        if (found.Count > 0) acknowledged(organization.No, [.. found.Keys]);
        return found;
    }

    private static Task AnswerOneAsync(HttpContext context, EventId id, DateTimeOffset at) =>
        Answers.JsonAsync(context, StatusCodes.Status200OK, (id, at), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("success"u8, true);
            writer.WriteId("id"u8, s.id);
            writer.WriteId("event_id"u8, s.id);
            writer.WriteString("status"u8, StatusNames.Of(Core.Events.EventStatus.Delivered));
            writer.WriteTime("acknowledged_at"u8, s.at);
            writer.WriteString("message"u8, "Event acknowledged");
            writer.WriteEndObject();
        });

    private static Task AnswerManyAsync(HttpContext context, int count, List<string> failed) =>
        Answers.JsonAsync(context, StatusCodes.Status200OK, (count, failed), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("acknowledged"u8, s.count);
            writer.WriteNumber("failed"u8, s.failed.Count);
            writer.WriteStartArray("failed_ids"u8);
            foreach (var id in s.failed) writer.WriteStringValue(id);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
}
