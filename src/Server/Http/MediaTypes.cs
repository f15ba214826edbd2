using System.Diagnostics.CodeAnalysis;

namespace ZapierTriggers.Server.Http;

/// <summary>Which media types a JSON body may claim.</summary>
internal static class MediaTypes
{
    // A CloudEvent's payload is the whole of it: taken as plain JSON, its data alone would be kept.
    private const string CloudEvents = "application/cloudevents";

    /// <summary>
    /// Whether a body with these headers is taken as JSON: no Content-Type, <c>application/json</c>, <c>text/json</c> or any <c>+json</c>
    /// (RFC 6839) but CloudEvents, in UTF-8, without Content-Encoding.
    /// </summary>
    public static bool IsAcceptedJson(IHeaderDictionary headers, [NotNullWhen(false)] out string? refusal)
    {
        refusal = null;
        if (headers.ContentEncoding.Count > 0)
        {
            refusal = "The body has a Content-Encoding; send it uncompressed.";
            return false;
        }

        if (headers.ContentType.Count == 0) return true;
        var contentType = headers.ContentType.ToString().AsSpan();
        var end = contentType.IndexOf(';');
        var type = (end < 0 ? contentType : contentType[..end]).Trim();
        var isJson = type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Equals("text/json", StringComparison.OrdinalIgnoreCase)
            || (type.EndsWith("+json", StringComparison.OrdinalIgnoreCase) && !type.StartsWith(
                CloudEvents, StringComparison.OrdinalIgnoreCase));
        if (isJson && (end < 0 || IsUtf8(contentType[(end + 1)..]))) return true;
        refusal = $"The Content-Type is {headers.ContentType}; send application/json in UTF-8.";
        return false;
    }

    /// <summary>
    /// Whether a body with these headers is taken as an event: JSON as above, or, when it is known to be a CloudEvent, any data of a binary
    /// one and <c>application/cloudevents+json</c>.
    /// </summary>
    public static bool IsAccepted(IHeaderDictionary headers, bool isCloudEvent, [NotNullWhen(false)] out string? refusal)
    {
        if (!isCloudEvent) return IsAcceptedJson(headers, out refusal);
        refusal = headers.ContentEncoding.Count > 0 ? "The body has a Content-Encoding; send it uncompressed." : null;
        if (refusal is not null) return false;
        var contentType = headers.ContentType.ToString();
        if (!contentType.StartsWith(CloudEvents, StringComparison.OrdinalIgnoreCase) || IsOf(contentType, CloudEvents + "+json"))
            return true;
        refusal = $"The Content-Type is {contentType}; send a CloudEvent as application/cloudevents+json in UTF-8, or with ce- headers; a batch of them goes to /api/events/batch.";
        return false;
    }

    /// <summary>
    /// Whether a body with these headers is taken as a batch: JSON as above, lines of it (<c>application/x-ndjson</c>), or a batch of
    /// CloudEvents (<c>application/cloudevents-batch+json</c>).
    /// </summary>
    public static bool IsAcceptedBatch(
        IHeaderDictionary headers, out bool isLines, out bool isCloudEvents, [NotNullWhen(false)] out string? refusal)
    {
        (isLines, isCloudEvents) = (false, false);
        if (IsAcceptedJson(headers, out refusal)) return true;
        if (headers.ContentEncoding.Count > 0) return false;
        isCloudEvents = IsOf(headers.ContentType.ToString(), CloudEvents + "-batch+json");
        if (isCloudEvents) refusal = null;
        if (isCloudEvents) return true;
        var contentType = headers.ContentType.ToString().AsSpan();
        var end = contentType.IndexOf(';');
        var type = (end < 0 ? contentType : contentType[..end]).Trim();
        foreach (var lines in (ReadOnlySpan<string>)["application/x-ndjson", "application/ndjson", "application/jsonl"])
            isLines |= type.Equals(lines, StringComparison.OrdinalIgnoreCase);
        isLines = isLines && (end < 0 || IsUtf8(contentType[(end + 1)..]));
        if (!isLines) refusal = $"The Content-Type is {headers.ContentType}; send application/json or application/x-ndjson in UTF-8.";
        return isLines;
    }

    private static bool IsOf(string contentType, string type)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        var given = (end < 0 ? contentType : contentType[..end]).Trim();
        return given.Equals(type, StringComparison.OrdinalIgnoreCase) && (end < 0 || IsUtf8(contentType.AsSpan(end + 1)));
    }

    private static bool IsUtf8(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim();
            if (!parameter.StartsWith("charset=", StringComparison.OrdinalIgnoreCase)) continue;
            var charset = parameter["charset=".Length..].Trim('"');
            return charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || charset.Equals("utf8", StringComparison.OrdinalIgnoreCase)
                || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase);
        }

        return true;
    }
}
