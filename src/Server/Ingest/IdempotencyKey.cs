using System.Text;
using Microsoft.Extensions.Primitives;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Ingest;

/// <summary>
/// The dedup id of a request: <c>dedup_id</c> in the body, or the <c>Idempotency-Key</c> header, bare or as a quoted structured-field
/// string (RFC 9651, 3.3.3; draft-ietf-httpapi-idempotency-key-header).
/// </summary>
/// <param name="DedupId">UTF-8, empty = none.</param>
/// <param name="IsHeader">Whether the header was given: a repeat is then answered like the first.</param>
/// <param name="Refusal">Why the request is refused (422), or null.</param>
internal readonly record struct IdempotencyKey(ReadOnlyMemory<byte> DedupId, bool IsHeader, string? Refusal)
{
    /// <summary>The header.</summary>
    public const string HeaderName = "Idempotency-Key";

    /// <summary>Takes the header into account.</summary>
    public static IdempotencyKey Read(IHeaderDictionary headers, ReadOnlyMemory<byte> fromBody)
    {
        if (!headers.TryGetValue(HeaderName, out var values)) return new IdempotencyKey(fromBody, IsHeader: false, Refusal: null);
        return Read(values, fromBody);
    }

    private static IdempotencyKey Read(StringValues values, ReadOnlyMemory<byte> fromBody)
    {
        if (values.Count != 1 || Unquote(values[0]!.Trim()) is not { } key)
            return Refuse($"Send {HeaderName} once, bare or as a quoted string with only \\\" and \\\\ escaped.");
        if (key.Length == 0) return new IdempotencyKey(fromBody, IsHeader: false, Refusal: null);
        if (key.EnumerateRunes().Count() > EventLimits.MaxTextCharacters)
            return Refuse($"{HeaderName} has over {EventLimits.MaxTextCharacters} characters; send a shorter one.");
        var bytes = Encoding.UTF8.GetBytes(key);
        return !fromBody.IsEmpty && !fromBody.Span.SequenceEqual(bytes)
            ? Refuse($"{HeaderName} and dedup_id differ; send one of them, or the same in both.")
            : new IdempotencyKey(bytes, IsHeader: true, Refusal: null);
    }

    private static IdempotencyKey Refuse(string why) => new(default, IsHeader: true, why);

    /// <summary>The text itself for a bare key; without quotes and escapes for a quoted one; null when the quoting is broken.</summary>
    private static string? Unquote(string text)
    {
        if (text.Length == 0 || text[0] != '"') return text;
        var result = new StringBuilder(text.Length);
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '"') return i == text.Length - 1 ? result.ToString() : null;
            if (text[i] == '\\' && (++i == text.Length || text[i] is not ('"' or '\\'))) return null;
            result.Append(text[i]);
        }

        return null;
    }
}
