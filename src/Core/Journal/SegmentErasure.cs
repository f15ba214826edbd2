using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// Erases events from segments that nothing is written to any more. The segment is written anew beside its file and takes its name when it
/// is
/// flushed, so that a crash leaves either the old one or the new one (docs/decisions). Frames keep length and sequence: what reads a
/// journal passes over erased ones as over any that it has read before.
/// </summary>
internal sealed partial class SegmentErasure(DataDirectory directory, ILogger logger)
{
    private const int PieceBytes = 2 << 20;

    /// <summary>Not one that recovery would take for a segment.</summary>
    private const string Ending = ".rewritten";

    private readonly SegmentReader _reader = new(PieceBytes, directory.FrameSecret);
    private readonly List<ReadFrame> _frames = [];

    /// <summary>Deletes what a former process was writing anew when it died: the segment itself may be gone by now.</summary>
    public static void RemoveLeftovers(DataDirectory directory)
    {
        foreach (var path in directory.Disk.List(directory.JournalPath, Ending).ToList()) directory.Disk.Delete(path);
    }

    /// <summary>Id of a segment's first frame; the zero id when it has none that can be read.</summary>
    public EventId FirstIdOf(Segment segment)
    {
        var bytes = new byte[Frame.MaxHeaderLength];
        try
        {
            var read = segment.File.Read(bytes, Segment.HeaderLength);
            var state = Frame.Read(bytes.AsMemory(0, read), directory.FrameSecret, out var frame);
            return state switch
            {
                FrameState.Good or FrameState.BadPayload => frame.Event.Id,
                FrameState.Incomplete => PeekId(bytes),
                _ => default,
            };
        }
        catch (ObjectDisposedException)
        {
            return default; // deleted meanwhile
        }
    }

    /// <summary>
    /// Writes a segment anew up to <paramref name="end"/>; the file that took its place, for the caller to go on with, or null when none of
    /// the events is in it.
    /// </summary>
    public IDiskFile? Rewrite(Segment segment, long end, ErasedFrames erased)
    {
        if (!Holds(segment, end, erased)) return null;
        var path = segment.Path + Ending;
        directory.Disk.Delete(path);
        var file = directory.Disk.Create(path);
        try
        {
            file.Write(segment.RewrittenHeader(directory), 0);
            var count = Copy(segment, end, erased, file);
            Failpoint.Pass(Failpoint.ErasureWritten);
            file.SyncData();
            Failpoint.Pass(Failpoint.ErasureFlushed);
            directory.Disk.Move(path, segment.Path);
            Failpoint.Pass(Failpoint.ErasureNamed);
            directory.Disk.SyncDirectory(directory.JournalPath);
            Log.Rewritten(logger, count, segment.Path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private bool Holds(Segment segment, long end, ErasedFrames erased)
    {
        var offset = (long)Segment.HeaderLength;
        FrameState state;
        do
        {
            state = _reader.Read(segment, ref offset, end, _frames);
            foreach (var frame in _frames)
            {
                if (!frame.IsErased && erased.Includes(frame.Event.OrganizationNo, frame.Event.Id)) return true;
            }
        }
        while (state == FrameState.Good);
        return false;
    }

    private int Copy(Segment segment, long end, ErasedFrames erased, IDiskFile file)
    {
        var (offset, count) = ((long)Segment.HeaderLength, 0);
        FrameState state;
        do
        {
            var start = offset;
            state = _reader.Read(segment, ref offset, end, _frames);
            var piece = new byte[offset - start];
            var at = 0;
            foreach (var frame in _frames)
            {
                var bytes = piece.AsSpan(at, frame.Length);
                frame.Bytes.Span.CopyTo(bytes);
                at += frame.Length;
                if (frame.IsErased || !erased.Includes(frame.Event.OrganizationNo, frame.Event.Id)) continue;
                Frame.Erase(bytes, directory.FrameSecret);
                count++;
            }

            file.Write(piece, start);
        }
        while (state == FrameState.Good);
        if (state == FrameState.BadHeader) CopyRest(segment, offset, end, file);
        return count;
    }

    /// <summary>Behind damage nothing can be told from anything; it stays as it is, for whoever mends it.</summary>
    private static void CopyRest(Segment segment, long offset, long end, IDiskFile file)
    {
        var buffer = new byte[PieceBytes];
        while (offset < end)
        {
            var read = segment.File.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset)), offset);
            if (read == 0) return;
            file.Write(buffer.AsSpan(0, read), offset);
            offset += read;
        }
    }

    private static EventId PeekId(byte[] bytes) =>
        new(Frame.PeekPosition(bytes), System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32)));

    private static partial class Log
    {
        [LoggerMessage(LogEvents.SegmentErasureRewritten, LogLevel.Information, "Erased {Count} events from {Segment}")]
        public static partial void Rewritten(ILogger logger, int count, string segment);
    }
}
