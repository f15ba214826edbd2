using System.IO.Pipelines;
using System.Text.Json;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>Writes one page of an inbox.</summary>
internal static class InboxAnswer
{
    // A page may be some MiB: it is sent as it is written, in pieces of about this size, and a slow reader holds up the
    // writing.
    private const int PieceBytes = 64 * 1024;

    // An event around its payload: names of fields, ids, times.
    private const int LeastEventBytes = 300;

    /// <summary>Answers 200 with the page.</summary>
    public static async Task WriteAsync(HttpContext context, InboxQuery query, InboxPage page)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/json";
        if (HttpMethods.IsHead(context.Request.Method)) return;

        var output = ContentCoding.OutputOf(context, page.PayloadBytes + ((long)page.Events.Count * LeastEventBytes));
        try
        {
            await WritePageAsync(output, query, page, context.RequestAborted);
        }
        finally
        {
            if (output != response.BodyWriter) await output.CompleteAsync();
        }
    }

    private static async Task WritePageAsync(PipeWriter output, InboxQuery query, InboxPage page, CancellationToken cancellationToken)
    {
        using var writer = new Utf8JsonWriter(output, Answers.WriterOptions);
        writer.WriteStartObject();
        writer.WriteStartArray("events"u8);
        foreach (var stored in page.Events)
        {
            Append(writer, stored);
            if (output.UnflushedBytes < PieceBytes) continue;
            var sent = await output.FlushAsync(cancellationToken);
            if (sent.IsCompleted) return;
        }

        WriteEnd(writer, query, page);
        await output.FlushAsync(cancellationToken);
    }

    /// <summary>Flushing the JSON writer hands its bytes to the pipe, in memory; the pipe's own flush is what sends.</summary>
    private static void Append(Utf8JsonWriter writer, StoredEvent stored)
    {
        EventJson.Write(writer, stored);
        writer.Flush();
    }

    private static void WriteEnd(Utf8JsonWriter writer, InboxQuery query, InboxPage page)
    {
        writer.WriteEndArray();

        // Given on the last page too, so that a reader of new events can go on from it.
        if (page.Events.Count > 0) writer.WriteId("next_cursor"u8, page.Events[^1].Id);
        else writer.WriteNull("next_cursor"u8);
        writer.WriteBoolean("has_more"u8, page.HasMore);
        writer.WriteNumber("count"u8, page.Events.Count);
        writer.WriteNumber("limit"u8, query.Limit);
        writer.WriteNumber("offset"u8, query.Offset);
        if (query.IncludeTotal) writer.WriteNullable("total"u8, page.Total);
        writer.WriteEndObject();
        writer.Flush();
    }
}
