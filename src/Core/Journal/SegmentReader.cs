namespace ZapierTriggers.Core.Journal;

/// <summary>Reads frames of one segment by large pieces into one buffer; the frames' memories are valid until the next read.</summary>
internal sealed class SegmentReader
{
    private readonly byte[] _buffer;
    private readonly ulong _secret;

    /// <summary>Creates a reader whose pieces have at most <paramref name="bytes"/> bytes; at least one frame always fits.</summary>
    public SegmentReader(int bytes, ulong secret)
    {
        _buffer = GC.AllocateUninitializedArray<byte>(Math.Max(bytes, Frame.MaxLength));
        _secret = secret;
    }

    /// <summary>
    /// Reads whole frames from <paramref name="offset"/> up to <paramref name="end"/> into <paramref name="frames"/> (cleared first) and moves the offset behind them.
    /// A frame whose payload is damaged is passed to <paramref name="damaged"/> instead.
    /// </summary>
    /// <returns>
    /// <see cref="FrameState.Good"/>: there may be more. <see cref="FrameState.End"/>: zeros, or the end. <see cref="FrameState.BadHeader"/>: no frame at the
    /// offset, so none can be found behind it.
    /// </returns>
    public FrameState Read(Segment segment, ref long offset, long end, List<ReadFrame> frames, Action<ReadFrame> damaged)
    {
        frames.Clear();
        var wanted = (int)Math.Min(_buffer.Length, end - offset);
        if (wanted <= 0) return FrameState.End;
        var read = RandomAccess.Read(segment.File, _buffer.AsSpan(0, wanted), offset);
        var reachesEnd = offset + read >= end || read < wanted;
        var used = 0;
        while (used < read)
        {
            var state = Frame.Read(_buffer.AsMemory(used, read - used), _secret, out var frame);
            if (state is not (FrameState.Good or FrameState.BadPayload))
            {
                offset += used;
                if (state == FrameState.Incomplete) return reachesEnd ? FrameState.BadHeader : FrameState.Good;
                return state;
            }

            if (state == FrameState.Good) frames.Add(frame);
            else damaged(frame);
            used += frame.Length;
        }

        offset += used;
        return reachesEnd ? FrameState.End : FrameState.Good;
    }
}
