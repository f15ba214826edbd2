using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// What a start does before the journal takes events: opens the segments, reads everything behind the checkpoint once, moves what the ring still holds into a segment of
/// its own and flushes all of it. Nothing unread is deleted or renamed. Throws <see cref="JournalException"/> when a segment is missing, of another journal, or newer.
/// </summary>
internal sealed partial class JournalRecovery
{
    /// <summary>Sequences jump by this much at each start: more than a ring can hold, so a lost frame's sequence is never used again (docs/decisions).</summary>
    public const long SequenceJump = 1L << 20;

    private const int PieceBytes = 4 << 20;

    private readonly DataDirectory _directory;
    private readonly Checkpoint _stored;
    private readonly Action<JournaledEvent> _unstored;
    private readonly ILogger _logger;
    private readonly SegmentReader _reader;
    private readonly List<ReadFrame> _frames = [];
    private readonly TimeProvider _time;
    private RecoveredJournal _result = new();
    private long _sequence;
    private EventId _id;

    /// <summary>Prepares a recovery. <paramref name="unstored"/> is called for each event behind the checkpoint, in order; its memories are valid only during the call.</summary>
    public JournalRecovery(DataDirectory directory, Checkpoint stored, Action<JournaledEvent> unstored, TimeProvider time, ILogger logger)
    {
        (_directory, _stored, _unstored, _time, _logger) = (directory, stored, unstored, time, logger);
        _reader = new SegmentReader(PieceBytes, directory.FrameSecret);
    }

    /// <summary>Does it.</summary>
    public RecoveredJournal Run()
    {
        var log = new SegmentLog();
        var segments = Directory.EnumerateFiles(_directory.JournalPath, "*" + Segment.Extension).Order(StringComparer.Ordinal)
            .Select(path => Segment.Open(path, _directory)).ToList();
        RefuseMissingFirst(segments);
        var first = Math.Max(0, segments.FindLastIndex(segment => FirstIdOf(segment) is { } id && id <= _stored.Id));
        for (var i = 0; i < segments.Count; i++)
        {
            if (i >= first) Scan(segments[i], i + 1 < segments.Count ? segments[i + 1] : null);
            else segments[i].AdvanceEnd(RandomAccess.GetLength(segments[i].File));
            segments[i].Seal();
            if (i < first) segments[i].StoredAt = _time.GetTimestamp();
            log.Add(segments[i]);
        }

        MoveRing(log);
        if (_result.Events > 0) Log.Replaying(_logger, _result.Events, _result.Bytes);
        return _result with
        {
            Log = log, First = segments.Count > 0 ? segments[first] : null, LastSequence = _sequence, LastId = _id,
        };
    }

    /// <summary>A journal whose beginning is gone while the store lacks it has lost events: say so instead of going on as if nothing were.</summary>
    private void RefuseMissingFirst(List<Segment> segments)
    {
        if (segments.Count == 0 || _stored.Id.IsZero || segments[0].PreviousSequence <= _stored.Sequence) return;
        throw new JournalException(
            $"Journal segments before {segments[0].Path} are missing: the store has events up to number {_stored.Sequence}, this segment begins behind number "
            + $"{segments[0].PreviousSequence}. Put the missing files back, or move {_directory.JournalPath} away to go on without the events it holds.");
    }

    private EventId? FirstIdOf(Segment segment)
    {
        var buffer = new byte[Frame.MaxLength];
        var read = RandomAccess.Read(segment.File, buffer, Segment.HeaderLength);
        var state = Frame.Read(buffer.AsMemory(0, read), _directory.FrameSecret, out var frame);
        return state is FrameState.Good or FrameState.BadPayload ? frame.Event.Id : null;
    }

    private void Scan(Segment segment, Segment? next)
    {
        var offset = (long)Segment.HeaderLength;
        var length = RandomAccess.GetLength(segment.File);
        _sequence = Math.Max(_sequence, segment.FirstSequence - 1);
        FrameState state;
        do
        {
            state = _reader.Read(segment, ref offset, length, _frames, damaged => Note(damaged, isWhole: false));
            foreach (var frame in _frames) Note(frame, isWhole: true);
        }
        while (state == FrameState.Good);

        DurableFile.SyncData(segment.File);
        segment.AdvanceEnd(offset);
        if (state == FrameState.End) segment.TrimReserve();
        else if (next is null) Log.Torn(_logger, segment.Path, offset); // the normal end of a process or a power cut
        if (next is null || next.PreviousSequence <= _sequence) return;
        if (state == FrameState.BadHeader) Log.Lost(_logger, _sequence + 1, next.PreviousSequence, segment.Path, offset);
        else throw new JournalException($"Journal segments between {segment.Path} and {next.Path} are missing. Put them back, or move both away to go on without the events they hold.");
    }

    private void Note(in ReadFrame frame, bool isWhole)
    {
        _sequence = Math.Max(_sequence, frame.Sequence);
        if (frame.Event.Id <= _id) return; // also in an older segment
        _id = frame.Event.Id;
        if (_id <= _stored.Id || !isWhole) return;
        _result = _result with { Events = _result.Events + 1, Bytes = _result.Bytes + frame.Length };
        _unstored(frame.Event);
    }

    /// <summary>Writes the frames that are not known to be flushed into a segment of their own; only when that is flushed may the ring be replaced.</summary>
    private void MoveRing(SegmentLog log)
    {
        var path = Path.Combine(_directory.JournalPath, "ring");
        using var ring = Ring.OpenForRecovery(path);
        if (ring is null) return;
        var damaged = 0;
        var frames = ring.Recover(_directory.FrameSecret, frame =>
        {
            damaged++;
            Log.LostInRing(_logger, frame.Event.Id.ToString());
        }).ToList();
        if (frames.Count == 0) return;

        var bytes = frames.Sum(frame => (long)frame.Length);
        var reserved = Segment.Reserve(_directory.JournalPath, Segment.HeaderLength + bytes);
        var segment = Segment.Create(_directory.JournalPath, reserved, Frame.PeekSequence(frames[0]), _sequence, _directory);
        var offset = (long)Segment.HeaderLength;
        foreach (var frame in frames)
        {
            RandomAccess.Write(segment.File, frame, offset);
            offset += frame.Length;
            Frame.Read(frame, _directory.FrameSecret, out var read);
            Note(read, isWhole: true);
        }

        DurableFile.SyncData(segment.File);
        segment.AdvanceEnd(offset);
        segment.Seal();
        log.Add(segment);
        Log.FromRing(_logger, frames.Count, damaged);
    }

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Information, "Replaying {Events} events ({Bytes} bytes) that the store does not have yet")]
        public static partial void Replaying(ILogger logger, long events, long bytes);

        [LoggerMessage(1022, LogLevel.Information, "Took {Events} events over from the ring of the former process ({Damaged} damaged by a power cut)")]
        public static partial void FromRing(ILogger logger, int events, int damaged);

        [LoggerMessage(1023, LogLevel.Information, "The newest segment {Segment} ends torn at byte {Offset}, as after a power cut")]
        public static partial void Torn(ILogger logger, string segment, long offset);

        [LoggerMessage(1024, LogLevel.Critical, "The journal is damaged: sequences {From} to {To} cannot be read in {Segment} from byte {Offset} on")]
        public static partial void Lost(ILogger logger, long from, long to, string segment, long offset);

        [LoggerMessage(1025, LogLevel.Error, "Event {Event} was in the ring only and its payload did not survive a power cut")]
        public static partial void LostInRing(ILogger logger, string @event);
    }
}

/// <summary>What a start found.</summary>
internal sealed record RecoveredJournal
{
    /// <summary>The segments, all sealed and flushed.</summary>
    public SegmentLog Log { get; init; } = new();

    /// <summary>Where reading begins; null when there is nothing.</summary>
    public Segment? First { get; init; }

    /// <summary>The last sequence found; 0 = none.</summary>
    public long LastSequence { get; init; }

    /// <summary>The highest id found; zero = none.</summary>
    public EventId LastId { get; init; }

    /// <summary>Events that the store does not have yet.</summary>
    public long Events { get; init; }

    /// <summary>Bytes of their frames.</summary>
    public long Bytes { get; init; }
}
