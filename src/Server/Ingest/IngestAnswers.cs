using System.Globalization;
using Microsoft.Extensions.Primitives;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>The answers of <c>POST /api/events</c>, exact to titles, codes and extras.</summary>
internal static class IngestAnswers
{
    private const int RetrySeconds = 1;
    private static readonly StringValues JsonType = "application/json";
    private static readonly StringValues ReplayedTrue = "true";

    /// <summary>What is wrong with a dedup id that came with another payload before.</summary>
    public const string KeyReused = "This dedup id was sent within 24 hours with another payload. Send a new id with a new event.";

    /// <summary>What is wrong with a payload that is too large.</summary>
    public static readonly string TooLarge = string.Create(
        CultureInfo.InvariantCulture,
        $"A payload has at most {EventLimits.MaxPayloadBytes} bytes. Send a smaller one, or a link to the data.");

    /// <summary>Answers what became of the event.</summary>
    /// <param name="context">The request.</param>
    /// <param name="receipt">The sequencer's decision.</param>
    /// <param name="payloadHash">Hash of the payload that was sent now.</param>
    /// <param name="isHeader">Whether the dedup id came as Idempotency-Key: a repeat is then answered like the first.</param>
    /// <param name="shard">For why it was refused.</param>
    public static Task ReceiptAsync(HttpContext context, Receipt receipt, ulong payloadHash, bool isHeader, Shard shard)
    {
        switch (receipt.Kind)
        {
            case ReceiptKind.Accepted:
                WriteAccepted(context.Response, receipt.Id);
                return Task.CompletedTask;
            case ReceiptKind.Duplicate when receipt.PayloadHash != payloadHash:
                return Answers.ProblemAsync(context, Problem.KeyReused, KeyReused, ("event_id", receipt.Id.ToString()));
            case ReceiptKind.Duplicate when isHeader:
                context.Response.Headers["Idempotency-Replayed"] = ReplayedTrue;
                WriteAccepted(context.Response, receipt.Id);
                return Task.CompletedTask;
            case ReceiptKind.Duplicate:
                return Answers.ProblemAsync(
                    context, Problem.DuplicateEvent, "An event with this dedup_id was accepted within the last 24 hours.",
                    ("event_id", receipt.Id.ToString()));
            case ReceiptKind.QueueFull:
                return QueueFullAsync(context);
            case ReceiptKind.Unknown:
                return Answers.ProblemAsync(
                    context,
                    Problem.StorageUnavailable,
                    "The event could not be made durable in time; it may or may not be kept. Send it again with the same dedup_id: it is then kept once.",
                    ("retry_after_seconds", RetrySeconds));
            default:
                return UnavailableAsync(context, shard.Troubles() is [var trouble, ..] ? trouble : "the server is stopping");
        }
    }

    /// <summary>503: events are not taken now, and why.</summary>
    public static Task UnavailableAsync(HttpContext context, string reason) => Answers.ProblemAsync(
        context, Problem.StorageUnavailable, $"Events are not taken now ({reason.TrimEnd('.')}); nothing was kept. Send it again later.",
        ("retry_after_seconds", RetrySeconds));

    /// <summary>503: no room in memory for one more event.</summary>
    public static Task QueueFullAsync(HttpContext context) => Answers.ProblemAsync(
        context, Problem.QueueFull, "More events are waiting than may wait; nothing was kept. Send it again later.",
        ("retry_after_seconds", RetrySeconds));

    /// <summary>413.</summary>
    public static Task TooLargeAsync(HttpContext context) =>
        Answers.ProblemAsync(context, Problem.PayloadTooLarge, TooLarge, ("limit_bytes", EventLimits.MaxPayloadBytes));

    /// <summary>415.</summary>
    public static Task UnsupportedAsync(HttpContext context, string why) =>
        Answers.ProblemAsync(context, Problem.UnsupportedMediaType, why);

    /// <summary>422 for a field.</summary>
    public static Task InvalidFieldAsync(HttpContext context, string field, string detail) =>
        Answers.ProblemAsync(context, Problem.InvalidField, detail, ("field", field));

    /// <summary>400 or 422 for a body that is not an event.</summary>
    public static Task InvalidAsync(HttpContext context, in ParsedEvent parsed)
    {
        var (problem, detail, field) = ParseErrorText.Explain(parsed.Error, parsed.ErrorPosition);
        return field is null
            ? Answers.ProblemAsync(context, problem, detail)
            : Answers.ProblemAsync(context, problem, detail, ("field", field));
    }

    /// <summary>202, written into the response's own buffer: no serializer, no copy.</summary>
    private static void WriteAccepted(HttpResponse response, EventId id)
    {
        var before = "{\"id\":\""u8;
        var between = "\",\"event_id\":\""u8;
        var after = "\",\"status\":\"accepted\",\"message\":\"Event queued for processing\"}"u8;
        var length = before.Length + between.Length + after.Length + (2 * EventId.TextLength);

        response.StatusCode = StatusCodes.Status202Accepted;
        response.Headers.ContentType = JsonType;
        response.ContentLength = length;
        var writer = response.BodyWriter;
        var span = writer.GetSpan(length);
        before.CopyTo(span);
        id.WriteUtf8(span[before.Length..]);
        var second = before.Length + EventId.TextLength;
        between.CopyTo(span[second..]);
        id.WriteUtf8(span[(second + between.Length)..]);
        after.CopyTo(span[(second + between.Length + EventId.TextLength)..]);
        writer.Advance(length);
    }
}
