using System.Text;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>What the parser made of a body, copied out for comparisons.</summary>
internal sealed record ParsedEvent(EventParseError Error, int Position, string Type, string DedupId, string OrderingKey, string Payload)
{
    public static ParsedEvent Of(ReadOnlySpan<byte> body)
    {
        var scratch = new byte[EventParser.ScratchLength];
        Array.Fill(scratch, (byte)0xEE);
        var fields = default(EventFields);
        var error = EventParser.Parse(body, ref fields, scratch);
        if (error != EventParseError.None) return new ParsedEvent(error, fields.ErrorPosition, "", "", "", "");
        return new ParsedEvent(
            error,
            fields.ErrorPosition,
            Encoding.UTF8.GetString(fields.Type.In(body, scratch)),
            Encoding.UTF8.GetString(fields.DedupId.In(body, scratch)),
            Encoding.UTF8.GetString(fields.OrderingKey.In(body, scratch)),
            Encoding.UTF8.GetString(fields.Payload(body)));
    }

    public static ParsedEvent Of(string body) => Of(Encoding.UTF8.GetBytes(body));
}
