using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Journal;

/// <summary>The journal's one reader: goes along the segments from the checkpoint on, live, after an outage and at start alike, up to what is flushed.</summary>
internal sealed partial class JournalReader
{
    // About 4,000 events of 500 bytes: large enough for COPY to run at full speed, small enough that a batch is stored within some tens of milliseconds.
    private const int PieceBytes = 2 << 20;

    private readonly SegmentLog _log;
    private readonly SegmentReader _reader;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly List<ReadFrame> _frames = new(8192);
    private Segment? _segment;
    private long _offset = Segment.HeaderLength;
    private long _lastSequence;
    private EventId _readThrough;

    /// <summary>Starts behind what is stored. <paramref name="first"/> is the segment to begin with, null = the first.</summary>
    public JournalReader(SegmentLog log, ulong secret, Segment? first, EventId storedThrough, TimeProvider time, ILogger logger)
    {
        (_log, _segment, _readThrough, _time, _logger) = (log, first, storedThrough, time, logger);
        _reader = new SegmentReader(PieceBytes, secret);
    }

    /// <summary>Events whose payload was damaged and that were set aside.</summary>
    public long SetAside { get; private set; }

    /// <summary>Breaks in the sequence that were passed.</summary>
    public long Gaps { get; private set; }

    /// <summary>Reads the next events into <paramref name="batch"/>; false when there are none now. Their memories are valid until the next call.</summary>
    public bool TryRead(JournalBatch batch)
    {
        batch.Clear();
        while (true)
        {
            _segment ??= _log.After(null);
            if (_segment is null) return false;
            var isSealed = _segment.IsSealed; // before End: what is sealed has its last end
            var state = _reader.Read(_segment, ref _offset, _segment.End, _frames, NoteDamaged);
            foreach (var frame in _frames) Take(frame, batch);
            if (batch.Count > 0) return true;
            if (state == FrameState.Good) continue;
            if (!isSealed || _log.After(_segment) is not { } next) return false;
            _segment.StoredAt = _time.GetTimestamp();
            (_segment, _offset) = (next, Segment.HeaderLength);
            _lastSequence = Math.Max(_lastSequence, next.PreviousSequence);
        }
    }

    private void Take(in ReadFrame frame, JournalBatch batch)
    {
        if (frame.Event.Id <= _readThrough) return;
        NoteSequence(frame.Sequence, frame.Event.Id);
        _readThrough = frame.Event.Id;
        batch.Add(frame);
    }

    private void NoteDamaged(ReadFrame frame)
    {
        if (frame.Event.Id <= _readThrough) return;
        NoteSequence(frame.Sequence, frame.Event.Id);
        _readThrough = frame.Event.Id;
        SetAside++;
        Log.Damaged(_logger, frame.Event.Id.ToString(), _segment!.Path);
    }

    private void NoteSequence(long sequence, EventId id)
    {
        var isFirstOfSegment = sequence == _segment!.FirstSequence;
        if (_lastSequence != 0 && sequence != _lastSequence + 1 && !isFirstOfSegment)
        {
            Gaps++;
            Log.Gap(_logger, _lastSequence + 1, sequence - 1, id.ToString(), _segment.Path);
        }

        _lastSequence = sequence;
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Error, "Event {Event} in {Segment} has a damaged payload; it was set aside and reading goes on")]
        public static partial void Damaged(ILogger logger, string @event, string segment);

        [LoggerMessage(1012, LogLevel.Critical, "The journal has a gap: sequences {From} to {To}, before event {Event} in {Segment}, are missing")]
        public static partial void Gap(ILogger logger, long from, long to, string @event, string segment);
    }
}

/// <summary>Events that are stored together, with the sequences that their checkpoints need. Reused.</summary>
internal sealed class JournalBatch
{
    private JournaledEvent[] _events = new JournaledEvent[1024];
    private long[] _sequences = new long[1024];

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of their frames.</summary>
    public long Bytes { get; private set; }

    /// <summary>The events, in order.</summary>
    public ReadOnlyMemory<JournaledEvent> Events => _events.AsMemory(0, Count);

    /// <summary>The checkpoint behind event number <paramref name="index"/>.</summary>
    public Checkpoint CheckpointAt(int index) => new(_events[index].Id, _sequences[index]);

    /// <summary>Adds one.</summary>
    public void Add(in ReadFrame frame)
    {
        if (Count == _events.Length)
        {
            Array.Resize(ref _events, Count * 2);
            Array.Resize(ref _sequences, Count * 2);
        }

        _events[Count] = frame.Event;
        _sequences[Count] = frame.Sequence;
        Bytes += frame.Length;
        Count++;
    }

    /// <summary>Empties it.</summary>
    public void Clear() => (Count, Bytes) = (0, 0);
}
