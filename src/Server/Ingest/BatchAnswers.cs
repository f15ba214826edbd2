using System.Globalization;
using System.Text.Json;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>The answers of <c>POST /api/events/batch</c> that are its own.</summary>
internal static class BatchAnswers
{
    /// <summary>413.</summary>
    public static Task TooLargeAsync(HttpContext context, int most) => Answers.ProblemAsync(
        context,
        Problem.PayloadTooLarge,
        string.Create(
            CultureInfo.InvariantCulture,
            $"A batch has at most {most} bytes and {EventLimits.MaxBatchItems} items. Send several smaller ones."),
        ("limit_bytes", most));

    /// <summary>400, or 422 for too many items.</summary>
    public static Task InvalidAsync(HttpContext context, BatchError error) => error == BatchError.TooMany
        ? IngestAnswers.InvalidFieldAsync(
            context, "body", $"The batch has over {EventLimits.MaxBatchItems} items; nothing was taken. Send several smaller ones.")
        : Answers.ProblemAsync(context, Problem.InvalidJson, error switch
        {
            BatchError.Empty => "The body is empty; send a JSON array of events, or one event a line as application/x-ndjson.",
            BatchError.ByteOrderMark => "The body begins with a byte order mark; send plain UTF-8 without it.",
            BatchError.NotAnArray =>
                "The body is not a JSON array; send [{\"type\": \"…\", \"payload\": {…}}, …], or one event a line as application/x-ndjson.",
            _ => "The array does not end where the body does; nothing was taken.",
        });

    /// <summary>200 with a result for each item, in their order.</summary>
    public static Task ResultsAsync(HttpContext context, BatchResult[] results, EventBatch batch) =>
        Answers.JsonAsync(
            context, StatusCodes.Status200OK, (results, batch), static (writer, state) => Write(writer, state.results, state.batch));

    private static void Write(Utf8JsonWriter writer, BatchResult[] results, EventBatch batch)
    {
        var (accepted, duplicates) = Count(batch);
        writer.WriteStartObject();
        writer.WriteNumber("accepted"u8, accepted);
        writer.WriteNumber("duplicates"u8, duplicates);
        writer.WriteNumber("rejected"u8, results.Length - accepted - duplicates);
        writer.WriteStartArray("results"u8);
        for (var i = 0; i < results.Length; i++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, i);
            if (results[i].Problem is { } refused) WriteRefused(writer, refused, results[i].Detail!, results[i].Field);
            else WriteDecided(writer, batch.Items[results[i].Index]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static (int Accepted, int Duplicates) Count(EventBatch batch)
    {
        var (accepted, duplicates) = (0, 0);
        foreach (ref readonly var item in batch.Items)
        {
            if (item.Receipt.Kind == ReceiptKind.Accepted) accepted++;
            else if (IsRepeat(item)) duplicates++;
        }

        return (accepted, duplicates);
    }

    /// <summary>Whether a duplicate is the same event again, not another one under its id.</summary>
    private static bool IsRepeat(in BatchItem item) => item.Receipt.PayloadHash == item.Event.PayloadHash;

    private static void WriteDecided(Utf8JsonWriter writer, in BatchItem item)
    {
        Span<byte> id = stackalloc byte[EventId.TextLength];
        item.Receipt.Id.WriteUtf8(id);
        if (item.Receipt.Kind == ReceiptKind.Accepted)
        {
            writer.WriteString("status"u8, "accepted"u8);
            writer.WriteString("id"u8, id);
        }
        else if (IsRepeat(item))
        {
            writer.WriteString("status"u8, "duplicate"u8);
            writer.WriteString("event_id"u8, id);
        }
        else
        {
            WriteRefused(writer, Problem.KeyReused, IngestAnswers.KeyReused, field: null);
            writer.WriteString("event_id"u8, id);
        }
    }

    /// <summary>The members that a problem has for one event alone.</summary>
    private static void WriteRefused(Utf8JsonWriter writer, Problem problem, string detail, string? field)
    {
        writer.WriteString("status"u8, "rejected"u8);
        writer.WriteString("error"u8, problem.Title);
        writer.WriteString("code"u8, problem.Code);
        writer.WriteString("message"u8, detail);
        if (field is not null) writer.WriteString("field"u8, field);
    }
}
