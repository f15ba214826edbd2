using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;

namespace ZapierTriggers.Server.DataRights;

/// <summary>A form that events are exported in.</summary>
/// <param name="Name">Its name, and the ending of the file's.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Begin">Begins a stream of it.</param>
internal sealed record ExportFormat(string Name, string ContentType, Func<PipeWriter, ExportWriter> Begin)
{
    /// <summary>All, the default first.</summary>
    public static readonly IReadOnlyList<ExportFormat> All =
    [
        new("ndjson", "application/x-ndjson", static output => new NdjsonExport(output)),
        new("csv", "text/csv; charset=utf-8; header=present", static output => new CsvExport(output)),
        new("json", "application/json", static output => new JsonExport(output)),
    ];
}

/// <summary>Writes events into a response, one after the other.</summary>
internal abstract class ExportWriter(PipeWriter output) : IDisposable
{
    /// <summary>Bytes after which the response is flushed, so that the socket sets the pace.</summary>
    private const int FlushAt = 64 << 10;

    /// <summary>Whether it is time to flush.</summary>
    public bool IsFull => output.UnflushedBytes >= FlushAt;

    /// <summary>Where it writes.</summary>
    protected PipeWriter Output => output;

    /// <summary>Writes one.</summary>
    public abstract void Write(StoredEvent stored);

    /// <summary>Writes what ends the file.</summary>
    public virtual void End()
    {
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}

/// <summary>
/// A JSON object a line. Payloads are as stored, but that a line break between their tokens, which would end the line, becomes a space.
/// </summary>
internal sealed class NdjsonExport(PipeWriter output) : ExportWriter(output)
{
    private readonly Utf8JsonWriter _json = new(output, Answers.WriterOptions);

    /// <inheritdoc/>
    public override void Write(StoredEvent stored)
    {
        EventJson.WriteExported(_json, stored with { Payload = OneLine(stored.Payload) });
        _json.Flush();
        _json.Reset();
        Output.Write("\n"u8);
    }

    /// <inheritdoc/>
    public override void Dispose() => _json.Dispose();

    private static byte[] OneLine(byte[] payload)
    {
        if (payload.AsSpan().IndexOfAny((byte)'\n', (byte)'\r') < 0) return payload;
        var line = payload.ToArray();
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        return line;
    }
}

/// <summary>A JSON array; payloads byte for byte as stored.</summary>
internal sealed class JsonExport(PipeWriter output) : ExportWriter(output)
{
    private readonly Utf8JsonWriter _json = new(output, Answers.WriterOptions);
    private bool _hasSome;

    /// <inheritdoc/>
    public override void Write(StoredEvent stored)
    {
        Output.Write(_hasSome ? ",\n"u8 : "[\n"u8);
        _hasSome = true;
        EventJson.WriteExported(_json, stored);
        _json.Flush();
        _json.Reset();
    }

    /// <inheritdoc/>
    public override void End() => Output.Write(_hasSome ? "\n]\n"u8 : "[]\n"u8);

    /// <inheritdoc/>
    public override void Dispose() => _json.Dispose();
}
