using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>
/// <c>POST /api/events</c>, the request path:
/// <list type="number">
/// <item>key → organization</item>
/// <item>rate limit; monthly quota, where there are quotas</item>
/// <item>body, in place where it came in one piece</item>
/// <item>media type, JSON and fields</item>
/// <item>dedup id, from the body or the Idempotency-Key header; a known duplicate is answered here</item>
/// <item>admission: the store is asked for a dedup id that the window cannot know (off the fast path)</item>
/// <item>the same: submission to the sequencer, receipt; a turn of the quota is taken for it, and given back unless it is accepted</item>
/// <item>answer</item>
/// </list>
/// A new event from one packet takes this path without suspending and without touching anything but memory.
/// </summary>
internal sealed class IngestMiddleware(
    Authentication authentication, IngestGate gate, ByteBudget bodies, MonotonicClock clock, TimeProvider time,
    MonthlyQuotas? quotas = null)
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
        organization.Usage.NoteRate(decision);
        if (!decision.Allowed)
        {
            organization.Usage.Add(UsageKind.RateLimited);
            await RateLimitHeaders.AnswerRefusedAsync(context, decision, "events", time.GetUtcNow());
            return;
        }

        if (quotas is not null && quotas.IsSpent(organization))
        {
            await RefusePastQuotaAsync(context, organization);
            return;
        }

        if (gate.Shard is not { } shard)
        {
            organization.Usage.Add(UsageKind.Unavailable);
            await IngestAnswers.UnavailableAsync(context, gate.Reason);
            return;
        }

        // 3. One that asks first is not told to send what is then refused for its media type.
        var isCloudEvent = CloudEventBinding.IsUsed(context.Request.Headers);
        if (AsksFirst(context.Request) && !MediaTypes.IsAccepted(context.Request.Headers, isCloudEvent, out var unread))
        {
            organization.Usage.Add(UsageKind.Invalid);
            await IngestAnswers.UnsupportedAsync(context, unread);
            return;
        }

        var body = await RequestBody.ReadAsync(context, EventLimits.MaxBodyBytes, bodies);
        if (body.IsTooLarge || body.IsPastBudget)
        {
            organization.Usage.Add(body.IsTooLarge ? UsageKind.TooLarge : UsageKind.Unavailable);
            await (body.IsTooLarge ? IngestAnswers.TooLargeAsync(context) : IngestAnswers.QueueFullAsync(context));
            return;
        }

        try
        {
            // 4.
            if (!MediaTypes.IsAccepted(context.Request.Headers, isCloudEvent, out var refusal))
            {
                organization.Usage.Add(UsageKind.Invalid);
                await IngestAnswers.UnsupportedAsync(context, refusal);
                return;
            }

            var parsed = isCloudEvent ? CloudEventBinding.Read(context.Request.Headers, body.Memory) : ParsedEvent.Parse(body.Memory);
            if (parsed.Error != EventParseError.None)
            {
                organization.Usage.Add(UsageKind.Invalid);
                await IngestAnswers.InvalidAsync(context, parsed);
                return;
            }

            if (parsed.Payload.Length > EventLimits.MaxPayloadBytes)
            {
                organization.Usage.Add(UsageKind.TooLarge);
                await IngestAnswers.TooLargeAsync(context);
                return;
            }

            // 5.
            var idempotency = IdempotencyKey.Read(context.Request.Headers, parsed.DedupId);
            if (idempotency.Refusal is not null)
            {
                organization.Usage.Add(UsageKind.Invalid);
                await IngestAnswers.InvalidFieldAsync(context, "dedup_id", idempotency.Refusal);
                return;
            }

            var item = parsed.ToEvent(
                organization.No, idempotency.DedupId, TraceParentHeader.Read(context.Request.Headers, parsed.TraceParent));

            // 6. and 7.
            if (quotas is not null && !quotas.TryTake(organization))
            {
                await RefusePastQuotaAsync(context, organization);
                return;
            }

            Receipt receipt;
            try
            {
                receipt = await shard.Admission.SubmitAsync(organization, item, context.RequestAborted);
            }
            catch
            {
                NoteRefused(organization, Receipt.Unavailable, item.PayloadHash);
                throw;
            }

            if (receipt.Kind != ReceiptKind.Accepted) NoteRefused(organization, receipt, item.PayloadHash);

            // 8.
            await IngestAnswers.ReceiptAsync(context, receipt, item.PayloadHash, idempotency.IsHeader, shard);
        }
        finally
        {
            body.Release();
        }
    }

    private Task RefusePastQuotaAsync(HttpContext context, Organization organization)
    {
        organization.Usage.Add(UsageKind.OverQuota);
        return QuotaAnswers.RefusedAsync(context, quotas!.StateOf(organization), time.GetUtcNow());
    }

    /// <summary>Counts why it was not accepted, and gives its turn back. One that may be kept keeps its turn.</summary>
    private void NoteRefused(Organization organization, in Receipt receipt, ulong payloadHash)
    {
        organization.Usage.Add(receipt.UsageOf(payloadHash));
        if (receipt.Kind != ReceiptKind.Unknown) quotas?.GiveBack(organization, 1);
    }

    /// <summary>Expect: 100-continue, with a body whose announced size would be taken.</summary>
    private static bool AsksFirst(HttpRequest request) =>
        request.Headers.Expect.Count > 0 && !(request.ContentLength > EventLimits.MaxBodyBytes);
}
