using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// The one thread that takes frames from the ring to the segments: one large write, then fdatasync, then the mark moves and
/// <see cref="Synced"/> with it. Flushes <see cref="JournalOptions.FlushInterval"/> apart when nobody waits, at once when somebody does
/// (<see cref="Nudge"/>, or <c>AckWhen</c> above <c>journaled</c>): while one flush runs the next group gathers. A failed write or flush
/// poisons it for good; a full disk when a segment is reserved only stops it until there is room.
/// </summary>
internal sealed partial class JournalWriter : IDisposable
{
    // Enough to keep the disk busy, little enough that the ring (64 MiB) gets room back long before it is full.
    private const long GroupBytes = 8L << 20;

    // More than most groups of events whose senders wait have.
    private const long PrepareAhead = 512L << 10;

    // A webhook's way to its receiver begins with a flush: a tenth of the usual interval costs it little and the disk not much.
    private static readonly TimeSpan HastyInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan DiskFullRetry = TimeSpan.FromSeconds(1);

    private readonly Ring _ring;
    private readonly SegmentLog _log;
    private readonly SegmentSupply _supply;
    private readonly JournalOptions _options;
    private readonly bool _flushAtOnce;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private IDisposable? _thread;

    private Segment? _segment;
    private long _offset;
    private long _written;
    private long _lastSequence;
    private ulong _lastPosition;
    private long _lastFlush;
    private long _flushes;
    private int _idle;
    private int _urgent;
    private int _hasty;
    private int _rotating;
    private int _stopping;
    private int _state;
    private string? _trouble;

    /// <summary>Creates it; <see cref="Start"/> runs it.</summary>
    public JournalWriter(
        Ring ring, SegmentLog log, SegmentSupply supply, JournalOptions options, bool flushAtOnce, TimeProvider time, ILogger logger)
    {
        (_ring, _log, _supply, _options, _flushAtOnce, _time, _logger) = (ring, log, supply, options, flushAtOnce, time, logger);
        _written = ring.Mark;
    }

    /// <summary>Position up to which events are flushed.</summary>
    public Watermark Synced { get; } = new();

    /// <summary>Wakes the reader when there is more to read.</summary>
    public WakeSignal Readable { get; } = new();

    /// <summary>Whether it works, waits for disk space, or is poisoned.</summary>
    public JournalState State => (JournalState)Volatile.Read(ref _state);

    /// <summary>Why it does not work, in words; null when it does.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>Flushes since the start.</summary>
    public long Flushes => Volatile.Read(ref _flushes);

    /// <summary>
    /// Makes the first segment (so a directory that cannot hold one stops the start) and runs the thread. The first frame will have the
    /// sequence <paramref name="first"/>; <paramref name="previous"/> is the last one before it that the journal holds. Everything up to
    /// the position <paramref name="flushed"/>, found by recovery or stored already, counts as synced.
    /// </summary>
    public void Start(ILoopHost host, long first, long previous, ulong flushed)
    {
        Synced.Advance(flushed);
        _supply.Reserve();
        OpenNext(first, previous);
        _lastSequence = first - 1;
        _lastFlush = _time.GetTimestamp();
        _thread = host.RunOnThread("journal writer", Step, _wake);
    }

    private bool IsStopping => Volatile.Read(ref _stopping) != 0;

    /// <summary>Tells it that a frame was published. No system call unless it sleeps.</summary>
    public void Appended()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _idle) == 1 && Interlocked.Exchange(ref _idle, 0) == 1) _wake.Set();
        else if (_ring.Used > _ring.Capacity / 2) Nudge();
    }

    /// <summary>Flush now: somebody waits.</summary>
    public void Nudge()
    {
        if (!IsStopping && Interlocked.Exchange(ref _urgent, 1) == 0) _wake.Set();
    }

    /// <summary>Flush soon: see <see cref="IJournal.Hasten"/>. No system call unless it is the first since a flush.</summary>
    public void Hasten()
    {
        if (Volatile.Read(ref _hasty) == 0 && !IsStopping && Interlocked.Exchange(ref _hasty, 1) == 0) _wake.Set();
    }

    /// <summary>Ends the present segment soon, however full it is, unless nothing is in it.</summary>
    public void Rotate()
    {
        if (!IsStopping && Interlocked.Exchange(ref _rotating, 1) == 0) _wake.Set();
    }

    /// <summary>Flushes what is left and ends the thread; on a full disk what is left stays in the ring, for the next start.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0) return;
        _wake.Set();
        _thread?.Dispose();
        if (State != JournalState.Poisoned && _segment is not null)
        {
            _segment.Seal();
            _segment.TrimReserve();
        }

        _supply.Dispose();
    }

    /// <summary>One turn of the loop; returns as <see cref="ILoopHost.RunOnThread"/> wants it.</summary>
    private TimeSpan? Step()
    {
        try
        {
            Volatile.Write(ref _idle, 0);
            if (State == JournalState.DiskFull) ReserveAhead();
            if (Volatile.Read(ref _rotating) != 0 && (_offset == Segment.HeaderLength || TryRotate())) Volatile.Write(ref _rotating, 0);
            if (IsIdle()) return IsStopping ? End() : State == JournalState.DiskFull ? DiskFullRetry : Timeout.InfiniteTimeSpan;
            if (UntilNextFlush() is var wait && wait > TimeSpan.Zero) return wait;
            Volatile.Write(ref _urgent, 0);
            Volatile.Write(ref _hasty, 0);
            var start = _time.GetTimestamp();
            if (!TryWriteGroup()) return IsStopping ? End() : DiskFullRetry;
            Flush();
            Timings.JournalFlush.Record(_time.GetElapsedTime(start).TotalSeconds);
            ReserveAhead();
            _segment!.Prepare(_offset + PrepareAhead); // the answers are out, the next group does not wait for it
            return TimeSpan.Zero;
        }
        catch (Exception error)
        {
            Volatile.Write(
                ref _trouble,
                $"The journal could not be written: {error.Message} No event is acknowledged any more; restart the server when "
                + "the disk is sound.");
            Volatile.Write(ref _state, (int)JournalState.Poisoned);
            Log.Poisoned(_logger, _segment?.Path, error);
            return End();
        }
    }

    /// <summary>Whoever still waits for a flush waits in vain.</summary>
    private TimeSpan? End()
    {
        Synced.Fail();
        return null;
    }

    /// <summary>True when there is nothing to write; the next append wakes the loop then.</summary>
    private bool IsIdle()
    {
        if (_ring.Head != _written) return false;
        Volatile.Write(ref _idle, 1);
        Interlocked.MemoryBarrier();
        return _ring.Head == _written;
    }

    /// <summary>How long the next flush may wait for more to come along.</summary>
    private TimeSpan UntilNextFlush() =>
        _flushAtOnce || IsStopping || Volatile.Read(ref _urgent) != 0
            ? TimeSpan.Zero
            : Interval - _time.GetElapsedTime(_lastFlush);

    private TimeSpan Interval =>
        Volatile.Read(ref _hasty) != 0 && _options.FlushInterval > HastyInterval ? HastyInterval : _options.FlushInterval;

    /// <summary>
    /// Writes what the ring holds, about a group's size, going on to the next segment where one is full. False when there is no room for
    /// the next one: what is in the ring stays there, new events are refused meanwhile.
    /// </summary>
    private bool TryWriteGroup()
    {
        var goal = _written + GroupBytes;
        while (_written < goal && _ring.Head > _written)
        {
            var run = _ring.NextRun(ref _written, _options.SegmentBytes - _offset, GroupBytes);
            if (run.Count == 0)
            {
                if (!TryRotate()) return false;
                continue;
            }

            _segment!.Prepare(_offset + run.Length);
            Failpoint.Pass(Failpoint.JournalWriting);
            _segment.File.Write(Bytes(run), _offset);
            Failpoint.Pass(Failpoint.JournalWritten);
            _offset += run.Length;
            _written += run.Length;
            (_lastSequence, _lastPosition) = (run.LastSequence, run.LastPosition);
        }

        return true;
    }

    /// <summary>The only place where anything counts as synced: after fdatasync has returned without an error.</summary>
    private void Flush()
    {
        _segment!.File.SyncData();
        Failpoint.Pass(Failpoint.JournalFlushed);
        Volatile.Write(ref _flushes, _flushes + 1);
        _lastFlush = _time.GetTimestamp();
        _segment.AdvanceEnd(_offset);
        _ring.Release(_written, _lastSequence);
        Failpoint.Pass(Failpoint.JournalMarked);
        if (_lastPosition != 0) Synced.Advance(_lastPosition);
        Readable.Set();
    }

    private bool TryRotate()
    {
        if (_ring.Mark != _written) Flush();
        if (!TryReserve()) return false;
        _segment!.Seal();
        OpenNext(_lastSequence + 1, _lastSequence);
        return true;
    }

    private void OpenNext(long first, long previous)
    {
        _segment = _supply.Take(first, previous);
        _offset = Segment.HeaderLength;
        _segment.Prepare(PrepareAhead);
        _log.Add(_segment);
        Readable.Set(); // the reader can go on to it
    }

    /// <summary>Reserves the next segment when this one is half full, so that a full disk is known early.</summary>
    private void ReserveAhead()
    {
        if (!_supply.IsReady && _offset > _options.SegmentBytes / 2) TryReserve();
    }

    private bool TryReserve()
    {
        var isReady = _supply.TryReserve();
        Volatile.Write(ref _trouble, _supply.Trouble);
        Volatile.Write(ref _state, (int)(isReady ? JournalState.Running : JournalState.DiskFull));
        return isReady;
    }

    private static unsafe ReadOnlySpan<byte> Bytes(RingRun run) => new((void*)run.Address, run.Length);

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.JournalWriterPoisoned, LogLevel.Critical,
            "The journal is poisoned: a write or flush of {Segment} failed; no event is acknowledged")]
        public static partial void Poisoned(ILogger logger, string? segment, Exception error);
    }
}
