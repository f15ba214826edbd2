using System.IO.Hashing;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
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
/// <item>the store is asked for a dedup id that the window cannot know (only after a restart, off the fast path)</item>
/// <item>submission to the sequencer, receipt</item>
/// <item>answer</item>
/// </list>
/// A new event from one packet takes this path without suspending and without touching anything but memory.
/// </summary>
internal sealed class IngestMiddleware(Authentication authentication, IngestGate gate, MonotonicClock clock, TimeProvider time, ulong dedupSecret)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // 1.
        if (!authentication.TryAuthenticate(context, out var key))
        {
            await Authentication.RefuseAsync(context);
            return;
        }

        if (!Authentication.Allows(key, KeyScopes.EventsWrite))
        {
            await Authentication.RefuseScopeAsync(context, KeyScopes.EventsWrite);
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

        // 3.
        var body = await RequestBody.ReadAsync(context, EventLimits.MaxBodyBytes);
        if (body.IsTooLarge)
        {
            await IngestAnswers.TooLargeAsync(context);
            return;
        }

        try
        {
            // 4.
            if (!MediaTypes.IsAcceptedJson(context.Request.Headers, out var refusal))
            {
                await IngestAnswers.UnsupportedAsync(context, refusal);
                return;
            }

            var parsed = ParsedEvent.Parse(body.Memory);
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

            var item = new JournaledEvent
            {
                OrganizationNo = organization.No,
                Id = default,
                PayloadHash = XxHash3.HashToUInt64(parsed.Payload.Span),
                Type = parsed.Type,
                DedupId = idempotency.DedupId,
                OrderingKey = parsed.OrderingKey,
                Payload = parsed.Payload,
            };

            // 6. and 7.
            var receipt = item.DedupId.IsEmpty
                ? await SubmitAsync(shard, organization, item, default, storeAskedAt: -1)
                : await SubmitOnceAsync(shard, organization, item, context.RequestAborted);

            // 8.
            await IngestAnswers.ReceiptAsync(context, receipt, item.PayloadHash, idempotency.IsHeader, shard);
        }
        finally
        {
            body.Release();
        }
    }

    /// <summary>
    /// Submits an event with a dedup id: answers what the window knows, and asks the store as often as the window cannot prove a miss.
    /// </summary>
    private async ValueTask<Receipt> SubmitOnceAsync(Shard shard, Organization organization, JournaledEvent item, CancellationToken cancellationToken)
    {
        var key = DedupKey.Of(item.DedupId.Span, organization.No, dedupSecret);
        var createdAt = organization.CreatedAt.ToUnixTimeMilliseconds();
        var askedAt = -1L;
        while (true)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (shard.Dedup.TryFind(key, now, out var first))
            {
                var isDurable = await shard.WaitDurableAsync(first.Id, cancellationToken);
                return isDurable ? new Receipt(ReceiptKind.Duplicate, first.Id, first.PayloadHash) : Receipt.Unknown;
            }

            if (askedAt < 0 && !shard.Dedup.Covers(createdAt, now))
            {
                askedAt = shard.Dedup.EvictionVersion;
                if (await FindStoredAsync(organization, item, now, cancellationToken) is { } stored) return new Receipt(ReceiptKind.Duplicate, stored.Id, stored.PayloadHash);
            }

            var receipt = await SubmitAsync(shard, organization, item, key, askedAt);
            if (receipt.Kind != ReceiptKind.AskStore) return receipt;
            askedAt = -1;
        }
    }

    private Task<DuplicateOf?> FindStoredAsync(Organization organization, in JournaledEvent item, long now, CancellationToken cancellationToken)
    {
        var notBefore = EventId.LowerBound(DateTimeOffset.FromUnixTimeMilliseconds(now - DedupWindow.LengthMs + 1));
        return gate.Store.FindDuplicateAsync(organization.No, System.Text.Encoding.UTF8.GetString(item.DedupId.Span), notBefore, cancellationToken);
    }

    /// <summary>
    /// Not async itself: the receipt is nearly always there when <see cref="Shard.Submit"/> returns, and then this costs no state machine.
    /// </summary>
    private static ValueTask<Receipt> SubmitAsync(Shard shard, Organization organization, in JournaledEvent item, DedupKey key, long storeAskedAt)
    {
        var submission = Submission.Rent(organization, item, key, storeAskedAt);
        shard.Submit(submission);
        var receipt = submission.WaitAsync();
        if (!receipt.IsCompletedSuccessfully) return AwaitAsync(submission, receipt);
#pragma warning disable VSTHRD103 // it is there
        var result = receipt.Result;
#pragma warning restore VSTHRD103
        submission.Return();
        return ValueTask.FromResult(result);
    }

    private static async ValueTask<Receipt> AwaitAsync(Submission submission, ValueTask<Receipt> receipt)
    {
        var result = await receipt;
        submission.Return();
        return result;
    }
}
