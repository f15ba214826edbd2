using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// What a start does before the journal takes events: opens the segments, reads everything behind the checkpoint once, moves what is not
/// known to be flushed into a segment of
/// its own and flushes it. Nothing unread is deleted or renamed. Throws <see cref="JournalException"/> when a segment is missing, of
/// another journal, or newer.
/// </summary>
internal sealed partial class JournalRecovery
{
    /// <summary>
    /// Sequences jump by this much at each start: more than a ring can hold, so a lost frame's sequence is never used again
    /// (docs/decisions).
    /// </summary>
    public const long SequenceJump = 1L << 20;

    private const int PieceBytes = 4 << 20;

    private readonly DataDirectory _directory;
    private readonly Checkpoint _stored;
    private readonly Action<JournaledEvent> _unstored;
    private readonly ILogger _logger;
    private readonly SegmentReader _reader;
    private readonly List<ReadFrame> _frames = [];
    private readonly HashSet<Segment> _claimed = [];
    private readonly TimeProvider _time;
    private RecoveredJournal _result;
    private long _sequence;
    private long _found;
    private long _reached;
    private EventId _id;

    /// <summary>
    /// Prepares a recovery. <paramref name="unstored"/> is called for each event behind the checkpoint, in order; its memories are valid
    /// only during the call.
    /// </summary>
    public JournalRecovery(DataDirectory directory, Checkpoint stored, Action<JournaledEvent> unstored, TimeProvider time, ILogger logger)
    {
        (_directory, _stored, _unstored, _time, _logger) = (directory, stored, unstored, time, logger);
        _sequence = stored.Sequence;
        _reader = new SegmentReader(PieceBytes, directory.FrameSecret);
        _result = new RecoveredJournal { Log = new SegmentLog(directory.Disk) };
    }

    /// <summary>Does it.</summary>
    public RecoveredJournal Run()
    {
        var segments = new List<Segment>();
        try
        {
            foreach (var path in _directory.Disk.List(_directory.JournalPath, Segment.Extension).Order(StringComparer.Ordinal))
                segments.Add(Segment.Open(path, _directory));
            using var tail = new UnflushedTail(_directory);
            var first = FirstToRead(segments, tail);
            for (var i = first; i < segments.Count - 1; i++) Scan(segments[i], segments[i + 1], tail);
            ScanNewest(segments.Count > 0 ? segments[^1] : null, tail);
            var highest = Math.Max(_sequence, tail.After);
            Failpoint.Pass(Failpoint.RecoveryScanned);
            RefuseStaleCopy(tail);
            MoveTail(segments, tail);
            NotePowerCut(tail);
            Failpoint.Pass(Failpoint.RecoveryReleased);

            Seal(segments, first);
            if (_result.Events > 0) Log.Replaying(_logger, _result.Events, _result.Bytes);
            return _result with
            {
                First = first < segments.Count ? segments[first] : null,
                LastSequence = _sequence,
                HighestSequence = Math.Max(_sequence, highest),
                LastId = _id,
            };
        }
        catch
        {
            foreach (var segment in segments) segment.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Index of the last segment that begins at or before the checkpoint, and not behind the ring's mark: where a start failed in the
    /// middle of moving the tail, its copies lie in two segments. A journal whose beginning is gone while the store lacks it is refused.
    /// </summary>
    private int FirstToRead(List<Segment> segments, UnflushedTail tail)
    {
        if (segments.Count == 0) return 0;
        var before = segments[0].PreviousSequence;
        if (before > _stored.Sequence) Missing($"before {segments[0].Path}", _stored.Sequence + 1, before);
        var first = segments.FindLastIndex(segment => FirstIdOf(segment) is { } id && id <= _stored.Id);
        if (tail.FromRing > 0) first = Math.Min(first, segments.FindLastIndex(segment => segment.FirstSequence <= tail.After));
        return Math.Max(0, first);
    }

    private EventId? FirstIdOf(Segment segment)
    {
        var offset = (long)Segment.HeaderLength;
        _reader.Read(segment, ref offset, offset + Frame.MaxLength, _frames);
        return _frames.Count > 0 ? _frames[0].Event.Id : null;
    }

    /// <summary>Reads a segment that another one follows, which says how far this one went.</summary>
    private void Scan(Segment segment, Segment next, UnflushedTail tail)
    {
        var state = Read(segment, tail, out var offset);
        if (state == FrameState.End && !_claimed.Contains(segment)) segment.TrimReserve();
        if (next.PreviousSequence <= _sequence || tail.Has(next.PreviousSequence)) return;
        if (state == FrameState.BadHeader) Log.Lost(_logger, _sequence + 1, next.PreviousSequence, segment.Path, offset);
        else Missing($"between {segment.Path} and {next.Path}", _sequence + 1, next.PreviousSequence);
    }

    /// <summary>Reads the newest segment. Its end may be torn, as long as the ring does not know that more of it was flushed.</summary>
    private void ScanNewest(Segment? segment, UnflushedTail tail)
    {
        var (state, offset) = (FrameState.End, 0L);
        if (segment is not null)
        {
            state = Read(segment, tail, out offset);
            if (tail.FromRing == 0) segment.File.SyncData();
        }

        if (tail.HasFlushed && tail.After > _sequence)
        {
            if (state == FrameState.BadHeader) Log.Lost(_logger, _sequence + 1, tail.After, segment!.Path, offset);
            else Missing($"at the end of {_directory.JournalPath}", _sequence + 1, tail.After);
            _result = _result with { Gaps = 1, GapFrom = _sequence + 1 };
        }
        else if (state == FrameState.BadHeader)
        {
            Log.Torn(_logger, segment!.Path, offset); // the normal end of a process or a power cut
        }
        else if (tail.FromRing == 0)
        {
            segment?.TrimReserve();
        }
    }

    /// <summary>
    /// Notes the frames of a segment, but for those that the tail claims, and ends it before them; <paramref name="stopped"/> is where
    /// reading did.
    /// </summary>
    private FrameState Read(Segment segment, UnflushedTail tail, out long stopped)
    {
        stopped = Segment.HeaderLength;
        var end = stopped;
        var length = segment.File.Length;
        _sequence = Math.Max(_sequence, segment.FirstSequence - 1);
        _reached = Math.Max(_reached, segment.FirstSequence - 1);
        while (true)
        {
            var state = _reader.Read(segment, ref stopped, length, _frames);
            foreach (var frame in _frames)
            {
                if (tail.Claims(frame.Sequence))
                {
                    tail.Take(frame);
                    _claimed.Add(segment);
                    continue;
                }

                end += frame.Length;
                _found = frame.Sequence;
                Note(frame);
            }

            segment.AdvanceEnd(end);
            if (state != FrameState.Good) return state;
        }
    }

    private void Note(in ReadFrame frame)
    {
        _sequence = Math.Max(_sequence, frame.Sequence);
        _reached = Math.Max(_reached, frame.Sequence);
        if (frame.Event.Id <= _id) return; // also in an older segment
        _id = frame.Event.Id;
        if (_id <= _stored.Id || !frame.IsWhole) return;
        var first = _result.Events == 0 ? _id : _result.FirstUnstored;
        _result = _result with { Events = _result.Events + 1, Bytes = _result.Bytes + frame.Length, FirstUnstored = first };
        _unstored(frame.Event);
    }

    /// <summary>
    /// Writes the tail into a segment of its own. Only when that is flushed, the segments that it was taken from are cut where it begins,
    /// the ring is told, and may be replaced.
    /// </summary>
    private void MoveTail(List<Segment> segments, UnflushedTail tail)
    {
        var frames = tail.Frames;
        if (frames.Count > 0)
        {
            var reserved = Segment.Reserve(_directory, Segment.HeaderLength + frames.Sum(frame => (long)frame.Length));

            var segment = Segment.Create(_directory, reserved, frames[0].Sequence, PreviousOf(frames[0].Sequence, segments));
            segments.Add(segment);
            var offset = (long)Segment.HeaderLength;
            foreach (var frame in frames)
            {
                segment.File.Write(frame.Bytes.Span, offset);
                offset += frame.Length;
                Note(frame);
            }

            Failpoint.Pass(Failpoint.RecoveryTailWritten);
            segment.File.SyncData();
            Failpoint.Pass(Failpoint.RecoveryTailFlushed);
            segment.AdvanceEnd(offset);
            if (_result.Gaps == 0) CutBehind(segments, segment);
            Log.FromRing(_logger, frames.Count);
        }

        tail.Release();
    }

    /// <summary>
    /// The last sequence used before one: the highest that is known from frames, from what segments name as their predecessors, or from
    /// the checkpoint. What was jumped over at a start is not missing before it.
    /// </summary>
    private long PreviousOf(long sequence, List<Segment> segments) =>
        segments.Select(static segment => segment.PreviousSequence).Append(_found).Append(_stored.Sequence)
            .Where(known => known < sequence).Max();

    /// <summary>
    /// Of a frame that a failed write left torn in one segment, only the whole copy may be met from here on. A segment that has nothing
    /// of its own left goes, and one that names a frame of the tail as its predecessor: that comes behind it now.
    /// </summary>
    private void CutBehind(List<Segment> segments, Segment tail)
    {
        foreach (var segment in segments.Where(segment => segment != tail).ToList())
        {
            var isClaimed = _claimed.Contains(segment);
            if (segment.End > Segment.HeaderLength)
            {
                if (!isClaimed) continue;
                segment.TrimReserve();
                segment.File.SyncData();
            }
            else if (isClaimed || segment.PreviousSequence >= tail.FirstSequence)
            {
                segments.Remove(segment);
                segment.Dispose();
                _directory.Disk.Delete(segment.Path);
            }
        }

        _directory.Disk.SyncDirectory(_directory.JournalPath); // the ring forgets the tail next
    }

    /// <summary>
    /// The store never has what the journal has not had: a checkpoint ahead of the journal was made by a copy of this directory, and what
    /// only this one holds would be passed over in silence.
    /// </summary>
    private void RefuseStaleCopy(UnflushedTail tail)
    {
        var own = Math.Max(_reached, Math.Max(tail.LastInRing, tail.Last));
        if (own == 0 || own >= _stored.Sequence || IsConsented(own + 1, out var consent)) return;
        throw new JournalException(
            $"The database holds events of this data directory up to sequence {_stored.Sequence}, but {_directory.JournalPath} ends at {own}: a "
            + "copy of this directory has worked on the database since, or its newest segments are missing. Start the copy that was used last; "
            + $"or, to go on from what the database has, create an empty file {consent}.");
    }

    /// <summary>
    /// After a power cut the ring is as the system last wrote it back: behind the segments, or of another boot. What was answered and is
    /// nowhere cannot be known; that some of it may be lost is said.
    /// </summary>
    private void NotePowerCut(UnflushedTail tail)
    {
        if (tail.LastInRing == 0) return;
        if (tail.IsFromAnotherBoot || _reached > tail.LastInRing) Log.PowerCut(_logger, _id.ToString(), _sequence, _result.Events);
    }

    private void Seal(List<Segment> segments, int first)
    {
        for (var i = 0; i < segments.Count; i++)
        {
            if (i < first)
            {
                segments[i].AdvanceEnd(segments[i].File.Length);
                segments[i].StoredAt = _time.GetTimestamp();
            }

            segments[i].Seal();
            _result.Log.Add(segments[i]);
        }
    }

    /// <summary>Refuses the start, unless the operator has said that it may go on: by a file that names where the gap begins.</summary>
    private void Missing(string where, long from, long to)
    {
        if (!IsConsented(from, out var consent))
        {
            throw new JournalException(
                $"Journal segments {where} are missing: they held sequences {from} to {to}, which the store does not have. Put the files "
                + $"back; or, to go on without those events, create an empty file {consent}.");
        }

        Log.LostByConsent(_logger, from, to, where, consent);
    }

    private bool IsConsented(long from, out string consent) =>
        _directory.Disk.Exists(consent = Consent.PathOf(_directory.JournalPath, from));

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.JournalRecoveryReplaying, LogLevel.Information,
            "Replaying {Events} events ({Bytes} bytes) that the store does not have yet")]
        public static partial void Replaying(ILogger logger, long events, long bytes);

        [LoggerMessage(
            LogEvents.JournalRecoveryFromRing, LogLevel.Information, "Took {Events} events over that the former process had not flushed")]
        public static partial void FromRing(ILogger logger, int events);

        [LoggerMessage(
            LogEvents.JournalRecoveryTorn, LogLevel.Information,
            "The newest segment {Segment} ends torn at byte {Offset}, as after a power cut")]
        public static partial void Torn(ILogger logger, string segment, long offset);

        [LoggerMessage(
            LogEvents.JournalRecoveryPowerCut,
            LogLevel.Warning,
            "The machine went down while the former process ran. Events that it answered as journaled in its last flush interval may be lost; the last "
            + "one found is {Event}, sequence {Sequence}; {Events} found are not stored yet")]
        public static partial void PowerCut(ILogger logger, string @event, long sequence, long events);

        [LoggerMessage(
            LogEvents.JournalRecoveryLost, LogLevel.Critical,
            "Sequences {From} to {To} cannot be read: {Segment} is damaged from byte {Offset} on")]
        public static partial void Lost(ILogger logger, long from, long to, string segment, long offset);

        [LoggerMessage(
            LogEvents.JournalRecoveryLostByConsent, LogLevel.Critical,
            "Going on without sequences {From} to {To} ({Where}), as {Consent} says")]
        public static partial void LostByConsent(ILogger logger, long from, long to, string where, string consent);
    }
}
