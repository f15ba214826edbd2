using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// The journal's one reader: goes along the segments from the checkpoint on, live, after an outage and at start alike, up to what is
/// flushed.
/// </summary>
internal sealed partial class JournalReader
{
    // About 4,000 events of 500 bytes: large enough for COPY to run at full speed, small enough that a batch is stored within some tens of
    // milliseconds.
    private const int PieceBytes = 2 << 20;

    private readonly SegmentLog _log;
    private readonly SegmentReader _reader;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly List<ReadFrame> _frames = [];
    private Segment? _segment;
    private long _offset;
    private bool _isBroken;
    private long _lastSequence;
    private EventId _readThrough;
    private long _setAside;
    private long _gaps;

    /// <summary>Starts behind what is stored. <paramref name="first"/> is the segment to begin with, null = the first.</summary>
    public JournalReader(SegmentLog log, ulong secret, Segment? first, Checkpoint stored, TimeProvider time, ILogger logger)
    {
        (_log, _readThrough, _lastSequence, _time, _logger) = (log, stored.Id, stored.Sequence, time, logger);
        _reader = new SegmentReader(PieceBytes, secret);
        if (first is not null) Enter(first);
    }

    /// <summary>Events whose payload was damaged and that were set aside.</summary>
    public long SetAside => Volatile.Read(ref _setAside);

    /// <summary>Breaks in the sequence that were passed.</summary>
    public long Gaps => Volatile.Read(ref _gaps);

    /// <summary>Those that nobody has acknowledged.</summary>
    public OpenGaps OpenGaps { get; } = new();

    /// <summary>
    /// Reads the next events into <paramref name="batch"/>; false when there are none now. Their memories are valid until the next call.
    /// </summary>
    public bool TryRead(JournalBatch batch)
    {
        batch.Clear();
        while (_segment is not null || TryEnterFirst())
        {
            var isSealed = _segment!.IsSealed; // before End: what is sealed has its last end
            var end = _segment.End;
            var state = _reader.Read(_segment, ref _offset, end, _frames);
            foreach (var frame in _frames) Take(frame, batch);
            if (!batch.IsEmpty) return true;
            if (state == FrameState.Good) continue;
            if (_offset < end) NoteBroken(end);
            if (!isSealed || _log.After(_segment) is not { } next) return false;
            _segment.StoredAt = _time.GetTimestamp(); // a batch ends with its segment, so the one before this call is stored
            Enter(next);
        }

        return false;
    }

    private bool TryEnterFirst()
    {
        if (_log.After(null) is not { } first) return false;
        Enter(first);
        return true;
    }

    /// <summary>Goes to the start of a segment. Each names the last sequence before it: what did not come up to there is lost.</summary>
    private void Enter(Segment segment)
    {
        if (segment.PreviousSequence > _lastSequence && !_isBroken) NoteGap(_lastSequence + 1, segment.PreviousSequence, segment);
        _lastSequence = Math.Max(_lastSequence, segment.FirstSequence - 1);
        (_segment, _offset, _isBroken) = (segment, Segment.HeaderLength, false);
    }

    private void Take(in ReadFrame frame, JournalBatch batch)
    {
        if (frame.Sequence > _lastSequence + 1) NoteGap(_lastSequence + 1, frame.Sequence - 1, _segment!);
        _lastSequence = Math.Max(_lastSequence, frame.Sequence);
        if (frame.Event.Id <= _readThrough) return; // stored already, or read from an older segment
        _readThrough = frame.Event.Id;
        if (frame.IsWhole)
        {
            batch.Add(frame);
            return;
        }

        batch.PassOver(frame);
        if (frame.IsErased) return;
        Volatile.Write(ref _setAside, _setAside + 1);
        Log.Damaged(_logger, frame.Event.Id.ToString(), _segment!.Path);
    }

    private void NoteGap(long from, long to, Segment segment)
    {
        Volatile.Write(ref _gaps, _gaps + 1);
        Log.Gap(_logger, from, to, segment.Path, Open(segment, from));
    }

    /// <summary>Flushed bytes that are no frame: the rest of the segment cannot be found. Said once a segment.</summary>
    private void NoteBroken(long end)
    {
        if (_isBroken) return;
        _isBroken = true;
        Volatile.Write(ref _gaps, _gaps + 1);
        Log.Broken(_logger, _segment!.Path, _offset, end, _lastSequence + 1, Open(_segment, _lastSequence + 1));
    }

    private string Open(Segment segment, long from)
    {
        var consent = Consent.PathOf(Path.GetDirectoryName(segment.Path)!, from);
        OpenGaps.Add(consent);
        return consent;
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.JournalReaderDamaged, LogLevel.Error,
            "Event {Event} in {Segment} has a damaged payload; it was set aside and reading goes on")]
        public static partial void Damaged(ILogger logger, string @event, string segment);

        [LoggerMessage(
            LogEvents.JournalReaderGap, LogLevel.Critical,
            "The journal has a gap: sequences {From} to {To}, before or in {Segment}, are missing; {Consent} acknowledges it")]
        public static partial void Gap(ILogger logger, long from, long to, string segment, string consent);

        [LoggerMessage(
            LogEvents.JournalReaderBroken,
            LogLevel.Critical,
            "{Segment} is damaged: bytes {Offset} to {End}, from sequence {Sequence}, cannot be read; {Consent} acknowledges the gap")]
        public static partial void Broken(ILogger logger, string segment, long offset, long end, long sequence, string consent);
    }
}
