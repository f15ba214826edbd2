using System.Buffers.Text;
using System.IO.Hashing;
using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>
/// Where the parts of one HTTP/1.1 request with a webhook stand in the bytes received. Found in one pass without allocating, because the
/// receiver shares its cores with the server that is measured.
/// </summary>
internal readonly ref struct WebhookMessage
{
    /// <summary>Bytes of head and body.</summary>
    public int Length { get; private init; }

    /// <summary>The body.</summary>
    public ReadOnlySpan<byte> Body { get; private init; }

    /// <summary>The <c>webhook-id</c> header; empty if absent.</summary>
    public ReadOnlySpan<byte> Id { get; private init; }

    /// <summary>The <c>webhook-timestamp</c> header; empty if absent.</summary>
    public ReadOnlySpan<byte> Timestamp { get; private init; }

    /// <summary>The <c>webhook-signature</c> header; empty if absent.</summary>
    public ReadOnlySpan<byte> Signature { get; private init; }

    /// <summary>Whether there are all three headers of a signature in their form; it is not computed.</summary>
    public bool LooksSigned => Signature.StartsWith("v1,"u8)
        && Id.Length == EventId.TextLength
        && Utf8Parser.TryParse(Timestamp, out long _, out var digits) && digits == Timestamp.Length;

    /// <summary>The bytes of the body's <c>data</c>; empty if it is no delivery.</summary>
    public ReadOnlySpan<byte> Data
    {
        get
        {
            const int Behind = 40; // ,"timestamp":"2026-01-31T08:00:00.000Z"}
            var start = Body.IndexOf("\"data\":"u8) + "\"data\":".Length;
            var isWhole = Body.StartsWith("{\"id\":\""u8) && start >= "\"data\":".Length && Body.Length >= start + Behind;
            return isWhole ? Body[start..^Behind] : [];
        }
    }

    /// <summary>Reads a request. Only bodies with a length are understood; others are <see cref="ParseResult.Invalid"/>.</summary>
    public static ParseResult TryRead(ReadOnlySpan<byte> bytes, out WebhookMessage message)
    {
        message = default;
        var headLength = bytes.IndexOf("\r\n\r\n"u8);
        if (headLength < 0) return ParseResult.Incomplete;
        ReadOnlySpan<byte> id = [], timestamp = [], signature = [], bodyLength = [];
        for (var rest = bytes[..(headLength + 2)]; !rest.IsEmpty;)
        {
            var end = rest.IndexOf("\r\n"u8);
            var line = rest[..end];
            rest = rest[(end + 2)..];
            var colon = line.IndexOf((byte)':');
            if (colon < 0) continue;
            var name = line[..colon];
            var value = line[(colon + 1)..].Trim((byte)' ');
            if (Ascii.EqualsIgnoreCase(name, "content-length"u8)) bodyLength = value;
            else if (Ascii.EqualsIgnoreCase(name, "webhook-id"u8)) id = value;
            else if (Ascii.EqualsIgnoreCase(name, "webhook-timestamp"u8)) timestamp = value;
            else if (Ascii.EqualsIgnoreCase(name, "webhook-signature"u8)) signature = value;
        }

        if (!Utf8Parser.TryParse(bodyLength, out int count, out var digits) || digits != bodyLength.Length || count < 0)
            return ParseResult.Invalid;
        var length = headLength + 4 + count;
        if (bytes.Length < length) return ParseResult.Incomplete;
        message = new WebhookMessage
        {
            Length = length,
            Body = bytes.Slice(headLength + 4, count),
            Id = id,
            Timestamp = timestamp,
            Signature = signature,
        };
        return ParseResult.Complete;
    }

    /// <summary>What the audit needs. A body that is no delivery gives one without an id.</summary>
    /// <param name="signed">Whether the signature is taken as right.</param>
    /// <param name="status">What is answered.</param>
    public Delivery ToDelivery(bool signed, int status)
    {
        var data = Data;
        return data.IsEmpty
            ? new Delivery(ReadId(Id), default, 0, signed, status)
            : new Delivery(ReadId(Id), ReadId(Body.Slice(7, EventId.TextLength)), XxHash3.HashToUInt64(data), signed, status);
    }

    private static EventId ReadId(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out Guid id, out var length) && length == text.Length ? EventId.FromGuid(id) : default;
}
