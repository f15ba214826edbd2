using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Encodes a delivery's body. The payload stands in it byte for byte, so a sender may write head, payload and tail without ever joining
/// them.
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
        SearchValues.Create(
            string.Concat(Enumerable.Range(FirstPrintable, 0x7F - FirstPrintable).Select(i => (char)i).Where(c => c is not ('"' or '\\'))));

    /// <summary>Writes the whole body.</summary>
    public static void Write(IBufferWriter<byte> writer, DueEvent due)
    {
        WriteHead(writer, due);
        writer.Write(due.Payload);
        WriteTail(writer, due);
    }

    /// <summary>Writes what stands before the payload.</summary>
    public static void WriteHead(IBufferWriter<byte> writer, DueEvent due)
    {
        Span<byte> text = stackalloc byte[EventId.TextLength];
        due.Id.WriteUtf8(text);
        writer.Write("{\"id\":\""u8);
        writer.Write(text);
        writer.Write("\",\"event_id\":\""u8);
        writer.Write(text);
        writer.Write("\",\"type\":\""u8);
        WriteText(writer, due.Type);
        writer.Write("\",\"data\":"u8);
    }

    /// <summary>Writes what stands behind the payload: the time of acceptance.</summary>
    public static void WriteTail(IBufferWriter<byte> writer, DueEvent due)
    {
        writer.Write(",\"timestamp\":\""u8);
        WriteTime(writer, due.Id);
        writer.Write("\"}"u8);
    }

    /// <summary>Writes the time of acceptance, RFC 3339 in UTC with milliseconds.</summary>
    public static void WriteTime(IBufferWriter<byte> writer, EventId id)
    {
        // The round-trip format has 7 decimals; the first 3 are the milliseconds.
        Span<byte> time = stackalloc byte[33];
        Utf8Formatter.TryFormat(id.AcceptedAt.UtcDateTime, time, out _, new StandardFormat('O'));
        time[TimeLength - 1] = (byte)'Z';
        writer.Write(time[..TimeLength]);
    }

    /// <summary>Writes what stands between the quotes of a JSON string.</summary>
    public static void WriteText(IBufferWriter<byte> writer, string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Plain))
        {
            Encoding.ASCII.GetBytes(text, writer);
            return;
        }

        writer.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
    }
}
