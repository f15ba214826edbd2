using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Features;

namespace ZapierTriggers.Server.Http;

/// <summary>Reads small JSON request bodies of the management calls. (Events have a parser of their own.)</summary>
internal static class JsonBody
{
    private const int MaxDepth = 64;

    /// <summary>
    /// The request's JSON, for the caller to dispose; null after it has answered: 415 for another media type or any encoding, 413 past
    /// <paramref name="maxBytes"/> bytes read, 400 for what is not valid JSON in UTF-8 (a byte order mark, a lone surrogate, a twin of a
    /// key and nesting over 64 are not).
    /// </summary>
    public static async ValueTask<JsonDocument?> ReadAsync(HttpContext context, int maxBytes)
    {
        if (!MediaTypes.IsAcceptedJson(context.Request.Headers, out var refusal))
        {
            await Answers.ProblemAsync(context, Problem.UnsupportedMediaType, refusal);
            return null;
        }

        var body = await RequestBody.ReadAsync(context, maxBytes);
        if (body.IsTooLarge)
        {
            await Answers.ProblemAsync(
                context, Problem.PayloadTooLarge, $"The body is over {maxBytes} bytes; send less.", ("limit_bytes", maxBytes));
            return null;
        }

        // The document lives on in these bytes, when the connection's buffer has gone back.
        var bytes = body.Memory.ToArray();
        body.Release();
        if (Parse(bytes, out var reason) is { } document) return document;
        await Answers.ProblemAsync(context, Problem.InvalidJson, $"The body is not valid JSON in UTF-8: {reason}");
        return null;
    }

    /// <summary>The same, for calls that take an object: anything else is a 400 too.</summary>
    public static async ValueTask<JsonDocument?> ReadObjectAsync(HttpContext context, int maxBytes)
    {
        var document = await ReadAsync(context, maxBytes);
        if (document is null || document.RootElement.ValueKind == JsonValueKind.Object) return document;
        document.Dispose();
        await Answers.ProblemAsync(context, Problem.InvalidJson, "The body must be a JSON object.");
        return null;
    }

    /// <summary>Whether the request has a body at all, for calls whose body is optional.</summary>
    public static bool IsSent(HttpContext context) =>
        context.Request.ContentLength is not 0
        && context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: false };

    private static JsonDocument? Parse(byte[] bytes, out string reason)
    {
        reason = "it is not UTF-8.";
        if (!Utf8.IsValid(bytes)) return null;
        try
        {
            CheckEscapes(bytes);
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException invalid)
        {
            // Not its message, which says back what was sent: people put keys into bodies, and errors into logs.
            reason = invalid.LineNumber is { } line
                ? string.Create(
                    CultureInfo.InvariantCulture, $"something is wrong in line {line + 1} at byte {invalid.BytePositionInLine}.")
                : "a name stands twice in one object; send each once.";
        }
        catch (InvalidOperationException)
        {
            reason = "a \\u escape is half of a surrogate pair.";
        }

        return null;
    }

    /// <summary>
    /// Unescapes all strings once: the parser accepts a lone surrogate and would throw only when the string is taken out.
    /// </summary>
    private static void CheckEscapes(byte[] bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) _ = reader.GetString();
        }
    }
}
