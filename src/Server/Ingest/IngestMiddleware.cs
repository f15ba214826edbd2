using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>
/// <c>POST /api/events</c>, the request path:
/// <list type="number">
/// <item>key → organization</item>
/// <item>rate limit</item>
/// <item>body, in place where it came in one piece</item>
/// <item>media type, JSON and fields</item>
/// <item>dedup id, from the body or the Idempotency-Key header; a known duplicate is answered here</item>
/// <item>admission: the store is asked for a dedup id that the window cannot know (off the fast path)</item>
/// <item>the same: submission to the sequencer, receipt</item>
/// <item>answer</item>
/// </list>
/// A new event from one packet takes this path without suspending and without touching anything but memory.
/// </summary>
internal sealed class IngestMiddleware(Authentication authentication, IngestGate gate, ByteBudget bodies, MonotonicClock clock, TimeProvider time)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // 1.
        if (!authentication.IsOpen)
        {
            await StorageAnswers.StartingAsync(context);
            return;
        }

        if (!authentication.TryAuthenticate(context, out var key))
        {
            await Authentication.RefuseAsync(context);
            return;
        }

        if (!Authentication.Allows(key, KeyScopes.EventsWrite))
        {
            await Authentication.RefuseUseAsync(context, key, KeyScopes.EventsWrite);
            return;
        }

        // 2.
        var organization = key.Organization;
        var decision = organization.Window.TryTake(1, clock.Milliseconds);
        RateLimitHeaders.Write(context.Response.Headers, decision);
        if (!decision.Allowed)
        {
            await RateLimitHeaders.AnswerRefusedAsync(context, decision, "events", time.GetUtcNow());
            return;
        }

        if (gate.Shard is not { } shard)
        {
            await IngestAnswers.UnavailableAsync(context, gate.Reason);
            return;
        }

        // 3. One that asks first is not told to send what is then refused for its media type.
        var isCloudEvent = CloudEventBinding.IsUsed(context.Request.Headers);
        if (AsksFirst(context.Request) && !MediaTypes.IsAccepted(context.Request.Headers, isCloudEvent, out var unread))
        {
            await IngestAnswers.UnsupportedAsync(context, unread);
            return;
        }

        var body = await RequestBody.ReadAsync(context, EventLimits.MaxBodyBytes, bodies);
        if (body.IsTooLarge || body.IsPastBudget)
        {
            await (body.IsTooLarge ? IngestAnswers.TooLargeAsync(context) : IngestAnswers.QueueFullAsync(context));
            return;
        }

        try
        {
            // 4.
            if (!MediaTypes.IsAccepted(context.Request.Headers, isCloudEvent, out var refusal))
            {
                await IngestAnswers.UnsupportedAsync(context, refusal);
                return;
            }

            var parsed = isCloudEvent ? CloudEventBinding.Read(context.Request.Headers, body.Memory) : ParsedEvent.Parse(body.Memory);
            if (parsed.Error != EventParseError.None)
            {
                await IngestAnswers.InvalidAsync(context, parsed);
                return;
            }

            if (parsed.Payload.Length > EventLimits.MaxPayloadBytes)
            {
                await IngestAnswers.TooLargeAsync(context);
                return;
            }

            // 5.
            var idempotency = IdempotencyKey.Read(context.Request.Headers, parsed.DedupId);
            if (idempotency.Refusal is not null)
            {
                await IngestAnswers.InvalidFieldAsync(context, "dedup_id", idempotency.Refusal);
                return;
            }

            var item = parsed.ToEvent(organization.No, idempotency.DedupId, TraceParentHeader.Read(context.Request.Headers, parsed.TraceParent));

            // 6. and 7.
            var receipt = await shard.Admission.SubmitAsync(organization, item, context.RequestAborted);

            // 8.
            await IngestAnswers.ReceiptAsync(context, receipt, item.PayloadHash, idempotency.IsHeader, shard);
        }
        finally
        {
            body.Release();
        }
    }

    /// <summary>Expect: 100-continue, with a body whose announced size would be taken.</summary>
    private static bool AsksFirst(HttpRequest request) =>
        request.Headers.Expect.Count > 0 && !(request.ContentLength > EventLimits.MaxBodyBytes);
}
