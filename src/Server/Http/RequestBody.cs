using System.Buffers;
using System.IO.Pipelines;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// A request's body, whole and contiguous: the pipe's own buffer where it came in one piece, else a rented copy. Bytes are counted as they
/// are read, whatever Content-Length says. <see cref="Release"/> must be called, once, when nobody looks at <see cref="Memory"/> any more.
/// </summary>
internal struct RequestBody
{
    private PipeReader? _reader;
    private SequencePosition _end;
    private byte[]? _rented;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Memory { get; private set; }

    /// <summary>Whether there were more than allowed; then there is nothing to release.</summary>
    public bool IsTooLarge { get; private init; }

    /// <summary>
    /// Reads the body to its end, or, when it is longer than <paramref name="maxBytes"/>, as far as it is worth so that the client can see
    /// the refusal.
    /// </summary>
    public static ValueTask<RequestBody> ReadAsync(HttpContext context, int maxBytes)
    {
        var reader = context.Request.BodyReader;
        if (context.Request.ContentLength > maxBytes) return RefuseAsync(context, reader, read: 0);
        var hasRead = reader.TryRead(out var result);
        return hasRead && result.IsCompleted && result.Buffer.Length <= maxBytes
            ? ValueTask.FromResult(Take(reader, result.Buffer))
            : ReadSlowlyAsync(context, reader, hasRead, result, maxBytes);
    }

    /// <summary>Gives the buffer back and marks the body as read.</summary>
    public void Release()
    {
        _reader?.AdvanceTo(_end);
        _reader = null;
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        _rented = null;
    }

    private static async ValueTask<RequestBody> ReadSlowlyAsync(HttpContext context, PipeReader reader, bool hasRead, ReadResult result, int maxBytes)
    {
        while (true)
        {
            if (!hasRead) result = await reader.ReadAsync(context.RequestAborted);
            hasRead = false;
            if (result.Buffer.Length > maxBytes)
            {
                var read = result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.End);
                return await RefuseAsync(context, reader, read);
            }

            if (result.IsCompleted) return Take(reader, result.Buffer);
            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static RequestBody Take(PipeReader reader, ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment) return new RequestBody { Memory = buffer.First, _reader = reader, _end = buffer.End };
        var length = (int)buffer.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        buffer.CopyTo(rented);
        return new RequestBody { Memory = rented.AsMemory(0, length), _reader = reader, _end = buffer.End, _rented = rented };
    }

    /// <summary>
    /// Reads on for up to <see cref="EventLimits.MaxDrainBytes"/>, so that a client which sends all before it reads sees the answer instead
    /// of a reset. One that asked first (Expect: 100-continue) gets the final status without having sent anything.
    /// </summary>
    private static async ValueTask<RequestBody> RefuseAsync(HttpContext context, PipeReader reader, long read)
    {
        var asksFirst = read == 0 && context.Request.Headers.Expect.Count > 0;
        while (!asksFirst && read < EventLimits.MaxDrainBytes)
        {
            var result = await reader.ReadAsync(context.RequestAborted);
            read += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return new RequestBody { IsTooLarge = true };
        }

        context.Response.Headers.Connection = "close";
        return new RequestBody { IsTooLarge = true };
    }
}
