using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace ZapierTriggers.Server.Http;

/// <summary>Writes answers: JSON bodies and RFC 9457 problems, each with its exact length.</summary>
internal static class Answers
{
    /// <summary>How answers are written.</summary>
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        // Bodies are JSON, never embedded in HTML: only what JSON itself needs is escaped.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Answers with the JSON object or array that <paramref name="write"/> writes.</summary>
    public static async Task JsonAsync<TState>(
        HttpContext context, int status, TState state, Action<Utf8JsonWriter, TState> write, string contentType = "application/json")
    {
        var buffer = Written(state, write);
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = buffer.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) await response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Answers 200 with a list, compressed for who asks for it. It must hold no secret (<see cref="ContentCoding"/>).</summary>
    public static async Task ListAsync<TState>(HttpContext context, TState state, Action<Utf8JsonWriter, TState> write)
    {
        var buffer = Written(state, write);
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var output = ContentCoding.OutputOf(context, buffer.WrittenCount);
        try
        {
            await output.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
        }
        finally
        {
            if (output != response.BodyWriter) await output.CompleteAsync();
        }
    }

    private static ArrayBufferWriter<byte> Written<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        write(writer, state);
        return buffer;
    }

    /// <summary>
    /// Answers with a problem. <paramref name="detail"/> says what was wrong with what was sent and what to send instead.
    /// </summary>
    public static Task ProblemAsync(
        HttpContext context, Problem problem, string detail, params ReadOnlySpan<(string Name, object Value)> extras)
    {
        problem.NoteAnswered();
        if (problem.Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"zapier-triggers\"";

        // Whoever asked first and is refused does not send the body, or does: what follows on the connection cannot be told (RFC 9110,
        // 10.1.1).
        if (context.Request.Headers.Expect.Count > 0) context.Response.Headers.Connection = "close";
        foreach (var (name, value) in extras)
        {
            if (name == "retry_after_seconds") context.Response.Headers.RetryAfter = Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        return JsonAsync(context, problem.Status, (problem, detail, extras: extras.ToArray()), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, s.problem.Type);
            writer.WriteString("title"u8, s.problem.Title);
            writer.WriteNumber("status"u8, s.problem.Status);
            writer.WriteString("detail"u8, s.detail);
            writer.WriteString("code"u8, s.problem.Code);
            writer.WriteString("error"u8, s.problem.Title);
            writer.WriteString("message"u8, s.detail);
            foreach (var (name, value) in s.extras)
            {
                writer.WritePropertyName(name);
                if (value is int or long) writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                else writer.WriteStringValue(value.ToString());
            }

            writer.WriteEndObject();
        }, "application/problem+json");
    }
}
