using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>
/// <c>POST /api/events/batch</c>: many events in one request and one place in the sequencer's queue.
/// <list type="number">
/// <item>key → organization</item>
/// <item>rate limit: a turn for the first item, later one for each of the others as far as there are any</item>
/// <item>body, whole</item>
/// <item>items: each is an event, for which a turn of the quota is taken where there are quotas, or is refused alone</item>
/// <item>admission of all events together: one receipt for the batch, one for each</item>
/// <item>answer, in the order of the items</item>
/// </list>
/// </summary>
internal sealed class BatchMiddleware(
    Authentication authentication, IngestGate gate, ByteBudget bodies, MonotonicClock clock, TimeProvider time, ulong dedupSecret,
    MonthlyQuotas? quotas = null)
{
    // More than a frame has around what comes from the body (64 bytes and a trace, rounded up to 8).
    private const int FrameExtra = 104;

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // 1.
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.EventsWrite) is not { } key) return;

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
            organization.Usage.Add(UsageKind.OverQuota);
            await QuotaAnswers.RefusedAsync(context, quotas.StateOf(organization), time.GetUtcNow());
            return;
        }

        if (gate.Shard is not { } shard)
        {
            organization.Usage.Add(UsageKind.Unavailable);
            await IngestAnswers.UnavailableAsync(context, gate.Reason);
            return;
        }

        // 3. The media type first, so that nobody is told to send what is refused for it.
        if (!MediaTypes.IsAcceptedBatch(context.Request.Headers, out var isLines, out var isCloudEvents, out var refusal))
        {
            organization.Usage.Add(UsageKind.Invalid);
            await IngestAnswers.UnsupportedAsync(context, refusal);
            return;
        }

        var most = MostBytes(shard);
        var body = await RequestBody.ReadAsync(context, most, bodies);
        if (body.IsTooLarge || body.IsPastBudget)
        {
            organization.Usage.Add(body.IsTooLarge ? UsageKind.TooLarge : UsageKind.Unavailable);
            await (body.IsTooLarge ? BatchAnswers.TooLargeAsync(context, most) : IngestAnswers.QueueFullAsync(context));
            return;
        }

        try
        {
            await TakeAsync(context, organization, shard, body.Memory, isLines, isCloudEvents);
        }
        finally
        {
            body.Release();
        }
    }

    private async Task TakeAsync(
        HttpContext context, Organization organization, Shard shard, ReadOnlyMemory<byte> body, bool isLines, bool isCloudEvents)
    {
        // 4.
        var items = new List<Range>();
        var error = isLines
            ? BatchSplitter.SplitLines(body.Span, EventLimits.MaxBatchItems, items)
            : BatchSplitter.SplitArray(body.Span, EventLimits.MaxBatchItems, items);
        if (error != BatchError.None)
        {
            organization.Usage.Add(UsageKind.Invalid);
            await BatchAnswers.InvalidAsync(context, error);
            return;
        }

        if (context.Request.Headers.ContainsKey(IdempotencyKey.HeaderName))
        {
            organization.Usage.Add(UsageKind.Invalid);
            await IngestAnswers.InvalidFieldAsync(
                context, "dedup_id", $"{IdempotencyKey.HeaderName} is for one event; give each item of a batch a dedup_id.");
            return;
        }

        var results = new BatchResult[items.Count];
        using var batch = new EventBatch(Math.Max(1, items.Count));
        var granted = Math.Min(items.Count, 1 + TakeMore(context, organization, items.Count - 1));
        for (var i = 0; i < items.Count; i++)
            results[i] = i < granted
                ? Add(batch, organization, Parse(body[items[i]]), context.Request.Headers)
                : BatchResult.Refused(Problem.RateLimited, PastLimit(organization));

        // 5.
        if (batch.Count > 0)
        {
            var receipt = await SubmitAsync(organization, shard, batch, context.RequestAborted);
            if (receipt.Kind != ReceiptKind.Accepted)
            {
                await IngestAnswers.ReceiptAsync(context, receipt, payloadHash: 0, isHeader: false, shard);
                return;
            }
        }

        foreach (var result in results)
        {
            if (result.Problem is { } problem) organization.Usage.Add(UsageOf(problem));
        }

        // 6.
        await BatchAnswers.ResultsAsync(context, results, batch);

        ParsedEvent Parse(ReadOnlyMemory<byte> text) => isCloudEvents ? CloudEventBinding.ParseStructured(text) : ParsedEvent.Parse(text);
    }

    /// <summary>
    /// Submits, counts what is not accepted, and gives its turns back. When it is not known what was kept, they stay taken.
    /// </summary>
    private async Task<Receipt> SubmitAsync(Organization organization, Shard shard, EventBatch batch, CancellationToken cancellationToken)
    {
        var receipt = Receipt.Unavailable;
        try
        {
            receipt = await shard.Admission.SubmitAsync(organization, batch, cancellationToken);
            return receipt;
        }
        finally
        {
            var refused = 0;
            foreach (ref readonly var item in batch.Items)
            {
                var kind = (receipt.Kind == ReceiptKind.Accepted ? item.Receipt : receipt).UsageOf(item.Event.PayloadHash);
                if (kind == UsageKind.Accepted) continue;
                organization.Usage.Add(kind);
                refused++;
            }

            if (receipt.Kind != ReceiptKind.Unknown) quotas?.GiveBack(organization, refused);
        }
    }

    private static UsageKind UsageOf(Problem problem) =>
        problem == Problem.RateLimited ? UsageKind.RateLimited
        : problem == Problem.QuotaExceeded ? UsageKind.OverQuota
        : problem == Problem.PayloadTooLarge ? UsageKind.TooLarge : UsageKind.Invalid;

    /// <summary>Adds an item's event to the batch, or says why it is none.</summary>
    private BatchResult Add(EventBatch batch, Organization organization, in ParsedEvent parsed, IHeaderDictionary headers)
    {
        if (parsed.Error != EventParseError.None)
        {
            var (problem, detail, field) = ParseErrorText.Explain(parsed.Error, parsed.ErrorPosition);
            return BatchResult.Refused(problem, detail, field);
        }

        if (parsed.Payload.Length > EventLimits.MaxPayloadBytes)
            return BatchResult.Refused(Problem.PayloadTooLarge, IngestAnswers.TooLarge);
        if (quotas is not null && !quotas.TryTake(organization))
            return BatchResult.Refused(Problem.QuotaExceeded, QuotaAnswers.Text(quotas.StateOf(organization)));
        var item = parsed.ToEvent(organization.No, parsed.DedupId, TraceParentHeader.Read(headers, parsed.TraceParent));
        batch.Add(item, item.DedupId.IsEmpty ? default : DedupKey.Of(item.DedupId.Span, organization.No, dedupSecret));
        return BatchResult.Taken(batch.Count - 1);
    }

    /// <summary>Takes turns for the items behind the first, as many as there are; the headers tell what is left then.</summary>
    private int TakeMore(HttpContext context, Organization organization, int count)
    {
        if (count <= 0) return 0;
        var decision = organization.Window.TakeUpTo(count, clock.Milliseconds);
        RateLimitHeaders.Write(context.Response.Headers, decision);
        organization.Usage.NoteRate(decision);
        return decision.Granted;
    }

    private static string PastLimit(Organization organization) =>
        $"At most {organization.Window.Limit} events in any {RateWindow.Seconds} seconds; send this item again later.";

    /// <summary>A ring that was set small cannot hold the frames of the largest batch at once.</summary>
    private static int MostBytes(Shard shard) =>
        (int)Math.Min(EventLimits.MaxBatchBytes, shard.Journal.RingBytes - Frame.MaxLength - (EventLimits.MaxBatchItems * FrameExtra));
}
