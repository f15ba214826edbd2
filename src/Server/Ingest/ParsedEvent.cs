using System.IO.Hashing;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Ingest;

/// <summary>An event request's fields as memories of its body (or of a small copy, for text that was sent with escapes).</summary>
/// <param name="Error">Why it is none; the rest means nothing then, except for the position.</param>
/// <param name="ErrorPosition">Byte at which invalid JSON was noticed.</param>
/// <param name="Type">UTF-8.</param>
/// <param name="DedupId">UTF-8, empty = none.</param>
/// <param name="OrderingKey">UTF-8, empty = none.</param>
/// <param name="Payload">As sent.</param>
/// <param name="TraceParent">The trace that the event itself names: a CloudEvent's attribute.</param>
internal readonly record struct ParsedEvent(
    EventParseError Error, int ErrorPosition, ReadOnlyMemory<byte> Type, ReadOnlyMemory<byte> DedupId, ReadOnlyMemory<byte> OrderingKey,
    ReadOnlyMemory<byte> Payload,
    TraceParent TraceParent = default)
{
    /// <summary>One that is none.</summary>
    public static ParsedEvent Refused(EventParseError error, int position) => new(error, position, default, default, default, default);

    /// <summary>Parses a body.</summary>
    public static ParsedEvent Parse(ReadOnlyMemory<byte> body)
    {
        Span<byte> scratch = stackalloc byte[EventParser.ScratchLength];
        var fields = default(EventFields);
        var error = EventParser.Parse(body.Span, ref fields, scratch);
        return error != EventParseError.None
            ? Refused(error, fields.ErrorPosition)
            : new ParsedEvent(
                error,
                0,
                MemoryOf(fields.Type, body, scratch),
                MemoryOf(fields.DedupId, body, scratch),
                MemoryOf(fields.OrderingKey, body, scratch),
                body.Slice(fields.PayloadOffset, fields.PayloadLength));
    }

    /// <summary>The event as it is submitted, without an id.</summary>
    public JournaledEvent ToEvent(int organizationNo, ReadOnlyMemory<byte> dedupId, TraceParent traceParent) => new()
    {
        OrganizationNo = organizationNo,
        Id = default,
        PayloadHash = XxHash3.HashToUInt64(Payload.Span),
        Type = Type,
        DedupId = dedupId,
        OrderingKey = OrderingKey,
        TraceParent = traceParent,
        Payload = Payload,
    };

    private static ReadOnlyMemory<byte> MemoryOf(FieldText text, ReadOnlyMemory<byte> body, ReadOnlySpan<byte> scratch) =>
        text.InScratch ? scratch.Slice(text.Offset, text.Length).ToArray() : body.Slice(text.Offset, text.Length);
}
