using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Encodes a delivery's body. The payload stands in it byte for byte, so a sender may write head, payload and tail without ever joining them.
/// <code>
/// head    {"id":"(36)","event_id":"(36)","type":"(escaped)","data":
/// payload as it was sent
/// tail    ,"timestamp":"2026-01-31T08:00:00.000Z"}
/// </code>
/// </summary>
internal static class WebhookBody
{
    /// <summary>Bytes of the tail.</summary>
    public const int TailLength = 40;

    private const int TimeLength = 24;
    private const byte FirstPrintable = 0x20;
    private static readonly SearchValues<char> Plain =
        SearchValues.Create(string.Concat(Enumerable.Range(FirstPrintable, 0x7F - FirstPrintable).Select(i => (char)i).Where(c => c is not ('"' or '\\'))));

    /// <summary>Writes the whole body.</summary>
    public static void Write(IBufferWriter<byte> writer, DueEvent due)
    {
        WriteHead(writer, due.Id, due.Type);
        writer.Write(due.Payload);
        WriteTail(writer, due.Id);
    }

    /// <summary>Writes what stands before the payload.</summary>
    public static void WriteHead(IBufferWriter<byte> writer, EventId id, string type)
    {
        Span<byte> text = stackalloc byte[EventId.TextLength];
        id.WriteUtf8(text);
        writer.Write("{\"id\":\""u8);
        writer.Write(text);
        writer.Write("\",\"event_id\":\""u8);
        writer.Write(text);
        writer.Write("\",\"type\":\""u8);
        WriteType(writer, type);
        writer.Write("\",\"data\":"u8);
    }

    /// <summary>Writes what stands behind the payload: the time of acceptance, RFC 3339 in UTC with milliseconds.</summary>
    public static void WriteTail(IBufferWriter<byte> writer, EventId id)
    {
        // The round-trip format has 7 decimals; the first 3 are the milliseconds.
        Span<byte> time = stackalloc byte[33];
        Utf8Formatter.TryFormat(id.AcceptedAt.UtcDateTime, time, out _, new StandardFormat('O'));
        time[TimeLength - 1] = (byte)'Z';
        writer.Write(",\"timestamp\":\""u8);
        writer.Write(time[..TimeLength]);
        writer.Write("\"}"u8);
    }

    private static void WriteType(IBufferWriter<byte> writer, string type)
    {
        if (!type.AsSpan().ContainsAnyExcept(Plain))
        {
            Encoding.ASCII.GetBytes(type, writer);
            return;
        }

        writer.Write(JsonEncodedText.Encode(type, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
    }
}
