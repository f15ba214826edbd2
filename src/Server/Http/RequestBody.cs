using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
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
    private ByteBudget? _budget;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Memory { get; private set; }

    /// <summary>Whether there were more than allowed; then there is nothing to release.</summary>
    public bool IsTooLarge { get; private init; }

    /// <summary>Whether the budget had no bytes left for it; then there is nothing to release.</summary>
    public bool IsPastBudget { get; private init; }

    /// <summary>
    /// Reads the body to its end, or, when it is longer than <paramref name="maxBytes"/>, as far as it is worth so that the client can see
    /// the refusal. Copies count against the budget, if there is one.
    /// </summary>
    public static ValueTask<RequestBody> ReadAsync(HttpContext context, int maxBytes, ByteBudget? budget = null)
    {
        var reader = context.Request.BodyReader;
        if (context.Request.ContentLength > maxBytes) return RefuseAsync(context, reader, read: 0);
        var hasRead = TryReadPiece(reader, out var result);
        return hasRead && result.IsCompleted && result.Buffer.Length <= maxBytes
            ? ValueTask.FromResult(Take(reader, result.Buffer, budget))
            : ReadSlowlyAsync(context, reader, hasRead, result, maxBytes, budget);
    }

    /// <summary>Gives the buffer back and marks the body as read.</summary>
    public void Release()
    {
        _reader?.AdvanceTo(_end);
        _reader = null;
        if (_rented is not null)
        {
            _budget?.Return(_rented.Length);
            ArrayPool<byte>.Shared.Return(_rented);
        }

        _rented = null;
    }

    /// <summary>
    /// Takes the pieces as they come, into an array that grows with what has really come. None is left lying in the connection's buffer:
    /// when the rest never comes, Kestrel could not let go of a buffer that was looked at and not taken.
    /// </summary>
    private static async ValueTask<RequestBody> ReadSlowlyAsync(
        HttpContext context, PipeReader reader, bool hasRead, ReadResult result, int maxBytes, ByteBudget? budget)
    {
        var pieces = new Pieces(budget);
        try
        {
            while (true)
            {
                if (!hasRead) result = await ReadPieceAsync(reader);
                hasRead = false;
                var piece = result.Buffer;
                var length = pieces.Length + piece.Length;
                if (length > maxBytes)
                {
                    reader.AdvanceTo(piece.End);
                    return await RefuseAsync(context, reader, length);
                }

                if (result.IsCompleted && pieces.Length == 0) return Take(reader, piece, budget);
                if (!pieces.TryAdd(piece))
                {
                    reader.AdvanceTo(piece.End);
                    await RefuseAsync(context, reader, length);
                    return new RequestBody { IsPastBudget = true };
                }

                reader.AdvanceTo(piece.End);
                if (result.IsCompleted) return pieces.TakeAll();
            }
        }
        finally
        {
            pieces.Return();
        }
    }

    private static RequestBody Take(PipeReader reader, ReadOnlySequence<byte> buffer, ByteBudget? budget)
    {
        if (buffer.IsSingleSegment) return new RequestBody { Memory = buffer.First, _reader = reader, _end = buffer.End };
        var length = (int)buffer.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        if (budget?.TryTake(rented.Length) == false)
        {
            ArrayPool<byte>.Shared.Return(rented);
            reader.AdvanceTo(buffer.End);
            return new RequestBody { IsPastBudget = true };
        }

        buffer.CopyTo(rented);
        return new RequestBody
        {
            Memory = rented.AsMemory(0, length),
            _reader = reader,
            _end = buffer.End,
            _rented = rented,
            _budget = budget,
        };
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
            var result = await ReadPieceAsync(reader);
            read += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return new RequestBody { IsTooLarge = true };
        }

        context.Response.Headers.Connection = "close";
        return new RequestBody { IsTooLarge = true };
    }

    private static bool TryReadPiece(PipeReader reader, out ReadResult result)
    {
        try
        {
            return reader.TryRead(out result);
        }
        catch (IOException broken) when (IsMalformed(broken))
        {
            throw Malformed(broken);
        }
    }

    /// <summary>
    /// Without the request's token: the body itself ends when the connection does, and a read that is given up would go on behind Kestrel's
    /// back while it takes the connection down.
    /// </summary>
    private static async ValueTask<ReadResult> ReadPieceAsync(PipeReader reader)
    {
        try
        {
            return await reader.ReadAsync(CancellationToken.None);
        }
        catch (IOException broken) when (IsMalformed(broken))
        {
            throw Malformed(broken);
        }
    }

    // A chunk size that no number holds comes as a bare IOException.
    private static bool IsMalformed(IOException error) => error is not (BadHttpRequestException or ConnectionResetException);

    private static BadHttpRequestException Malformed(IOException error) => new(error.Message, error);

    /// <summary>What has come so far, in a rented array.</summary>
    private struct Pieces(ByteBudget? budget)
    {
        private const int FirstLength = 4096;
        private byte[]? _bytes;

        /// <summary>Bytes so far.</summary>
        public int Length { get; private set; }

        /// <summary>Copies a piece behind the others; false when the budget has no bytes left.</summary>
        public bool TryAdd(ReadOnlySequence<byte> piece)
        {
            var length = Length + (int)piece.Length;
            if (_bytes is null || _bytes.Length < length)
            {
                if (!TryGrow(Math.Max(FirstLength, length))) return false;
            }

            piece.CopyTo(_bytes.AsSpan(Length));
            Length = length;
            return true;
        }

        /// <summary>All of them as a body, which returns the array.</summary>
        public RequestBody TakeAll()
        {
            var body = new RequestBody { Memory = _bytes.AsMemory(0, Length), _rented = _bytes, _budget = budget };
            _bytes = null;
            return body;
        }

        /// <summary>Returns the array, unless a body has it.</summary>
        public void Return()
        {
            if (_bytes is not null)
            {
                budget?.Return(_bytes.Length);
                ArrayPool<byte>.Shared.Return(_bytes);
            }

            _bytes = null;
        }

        private bool TryGrow(int least)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(least, 2 * Length));
            if (budget?.TryTake(larger.Length) == false)
            {
                ArrayPool<byte>.Shared.Return(larger);
                return false;
            }

            _bytes.AsSpan(0, Length).CopyTo(larger);
            Return();
            _bytes = larger;
            return true;
        }
    }
}
