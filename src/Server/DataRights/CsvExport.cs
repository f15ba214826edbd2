using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Inbox;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// Comma-separated values (RFC 4180) with a header line; every text is quoted, the payload is one field, byte for byte as stored.
/// </summary>
internal sealed class CsvExport : ExportWriter
{
    /// <summary>Begins with the header line.</summary>
    public CsvExport(PipeWriter output)
        : base(output) =>
        output.Write(
            "id,type,status,attempts,response_status,last_error,created_at,updated_at,acknowledged_at,"u8
            + "dedup_id,ordering_key,payload,traceparent\r\n"u8);

    /// <inheritdoc/>
    public override void Write(StoredEvent stored)
    {
        Plain(stored.Id.ToString());
        Quoted(stored.Type);
        Plain(Encoding.UTF8.GetString(StatusNames.Of(stored.Status)));
        Plain(stored.Attempts.ToString(CultureInfo.InvariantCulture));
        Plain(stored.ResponseStatus?.ToString(CultureInfo.InvariantCulture) ?? "");
        Quoted(stored.LastError);
        Plain(Time(stored.Id.AcceptedAt));
        Plain(Time(stored.UpdatedAt));
        Plain(stored.AcknowledgedAt is { } at ? Time(at) : "");
        Quoted(stored.DedupId);
        Quoted(stored.OrderingKey);
        Quote(stored.Payload);
        Output.Write(","u8);
        Encoding.UTF8.GetBytes(stored.TraceParent.ToString(), Output); // last: the places of the others stay
        Output.Write("\r\n"u8);
    }

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private void Plain(string text)
    {
        Encoding.UTF8.GetBytes(text, Output);
        Output.Write(","u8);
    }

    /// <summary>Null is an empty field, not an empty text.</summary>
    private void Quoted(string? text)
    {
        if (text is not null) Quote(Encoding.UTF8.GetBytes(text));
        Output.Write(","u8);
    }

    private void Quote(ReadOnlySpan<byte> bytes)
    {
        Output.Write("\""u8);
        while (bytes.IndexOf((byte)'"') is >= 0 and var at)
        {
            Output.Write(bytes[..(at + 1)]);
            Output.Write("\""u8);
            bytes = bytes[(at + 1)..];
        }

        Output.Write(bytes);
        Output.Write("\""u8);
    }
}
