using System.Numerics;

namespace ZapierTriggers.Core.Journal;

/// <summary>Reads frames of one segment by large pieces into one buffer; the frames' memories are valid until the next read.</summary>
internal sealed class SegmentReader
{
    private readonly int _mostBytes;
    private readonly ulong _secret;
    private byte[] _buffer;

    /// <summary>Creates a reader whose pieces have at most <paramref name="bytes"/> bytes; at least one frame always fits.</summary>
    public SegmentReader(int bytes, ulong secret)
    {
        _mostBytes = Math.Max(bytes, Frame.MaxLength);
        _secret = secret;
        _buffer = GC.AllocateUninitializedArray<byte>(Frame.MaxLength);
    }

    /// <summary>
    /// Reads frames from <paramref name="offset"/> up to <paramref name="end"/> into <paramref name="frames"/> (cleared first), in order
    /// and those with a
    /// damaged payload among them, and moves the offset behind them.
    /// </summary>
    /// <returns>
    /// <see cref="FrameState.Good"/>: there may be more. <see cref="FrameState.End"/>: zeros, or the end.
    /// <see cref="FrameState.BadHeader"/>: no frame at the
    /// offset, so none can be found behind it.
    /// </returns>
    public FrameState Read(Segment segment, ref long offset, long end, List<ReadFrame> frames)
    {
        frames.Clear();
        var read = Fill(segment, offset, end);
        var reachesEnd = offset + read >= end || read < _buffer.Length;
        var used = 0;
        while (used < read)
        {
            var state = Frame.Read(_buffer.AsMemory(used, read - used), _secret, out var frame);
            if (state is FrameState.Good or FrameState.BadPayload)
            {
                frames.Add(frame);
                used += frame.Length;
                continue;
            }

            offset += used;
            if (state != FrameState.Incomplete) return state;
            return reachesEnd ? FrameState.BadHeader : FrameState.Good;
        }

        offset += used;
        return reachesEnd ? FrameState.End : FrameState.Good;
    }

    /// <summary>Most readers never see more than a little: the buffer grows with what there is to read.</summary>
    private void MakeRoom(long bytes)
    {
        var wanted = (int)Math.Min(_mostBytes, bytes);
        if (wanted > _buffer.Length)
            _buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(_mostBytes, BitOperations.RoundUpToPowerOf2((uint)wanted)));
    }

    /// <summary>A read may return less than it was asked for in the middle of a file; only 0 is its end.</summary>
    private int Fill(Segment segment, long offset, long end)
    {
        MakeRoom(end - offset);
        var wanted = (int)Math.Min(_buffer.Length, end - offset);
        var read = 0;
        while (read < wanted)
        {
            var more = segment.File.Read(_buffer.AsSpan(read, wanted - read), offset + read);
            if (more == 0) break;
            read += more;
        }

        return read;
    }
}
