using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// The one thread that takes frames from the ring to the segments: one large write, then fdatasync, then the mark moves and <see cref="Synced"/> with it. Flushes
/// <see cref="JournalOptions.FlushInterval"/> apart when nobody waits, at once when somebody does (<see cref="Nudge"/>, or <c>AckWhen</c> above <c>journaled</c>): while one flush
/// runs the next group gathers. A failed write or flush poisons it for good; a full disk when a segment is reserved only stops it until there is room.
/// </summary>
internal sealed partial class JournalWriter : IDisposable
{
    // Enough to keep the disk busy, little enough that the ring (64 MiB) gets room back long before it is full.
    private const long MaxGroupBytes = 8L << 20;
    private static readonly TimeSpan DiskFullRetry = TimeSpan.FromSeconds(1);

    private readonly Ring _ring;
    private readonly SegmentLog _log;
    private readonly DataDirectory _directory;
    private readonly JournalOptions _options;
    private readonly bool _flushAtOnce;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;

    private Segment? _segment;
    private SafeFileHandle? _reserved;
    private long _offset;
    private long _written;
    private long _lastSequence;
    private ulong _lastPosition;
    private long _lastFlush;
    private int _idle;
    private int _urgent;
    private int _stopping;
    private int _state;

    /// <summary>Creates it; <see cref="Start"/> runs it.</summary>
    public JournalWriter(Ring ring, SegmentLog log, DataDirectory directory, JournalOptions options, bool flushAtOnce, long lastSequence, TimeProvider time, ILogger logger)
    {
        (_ring, _log, _directory, _options, _flushAtOnce, _time, _logger) = (ring, log, directory, options, flushAtOnce, time, logger);
        _lastSequence = lastSequence;
        _written = ring.Mark;
        _thread = new Thread(Run) { IsBackground = true, Name = "journal writer" };
    }

    /// <summary>Position up to which events are flushed.</summary>
    public Watermark Synced { get; } = new();

    /// <summary>Wakes the reader when there is more to read.</summary>
    public WakeSignal Readable { get; } = new();

    /// <summary>Whether it works, waits for disk space, or is poisoned.</summary>
    public JournalState State => (JournalState)Volatile.Read(ref _state);

    /// <summary>Why it does not work, in words; null when it does.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Flushes since the start.</summary>
    public long Flushes { get; private set; }

    /// <summary>Makes the first segment (so a directory that cannot hold one stops the start) and runs the thread. The first frame will have the given sequence.</summary>
    public void Start(long firstSequence)
    {
        _reserved = Segment.Reserve(_directory.JournalPath, _options.SegmentBytes);
        OpenNext(firstSequence);
        _lastFlush = _time.GetTimestamp();
        _thread.Start();
    }

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
        if (Interlocked.Exchange(ref _urgent, 1) == 0) _wake.Set();
    }

    /// <summary>Flushes what is left and ends the thread.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopping, 1);
        _wake.Set();
        if (_thread.IsAlive) _thread.Join();
        if (State == JournalState.Running && _segment is not null)
        {
            _segment.Seal();
            _segment.TrimReserve();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _reserved?.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        try
        {
            while (WaitForWork())
            {
                Volatile.Write(ref _urgent, 0);
                WriteGroup();
                Flush();
                ReserveAhead();
            }
        }
        catch (Exception error)
        {
            Trouble = $"The journal could not be written: {error.Message} No event is acknowledged any more; restart the server when the disk is sound.";
            Volatile.Write(ref _state, (int)JournalState.Poisoned);
            Synced.Fail();
            Log.Poisoned(_logger, _segment?.Path, error);
        }
    }

    /// <summary>False when it is to stop and nothing is left.</summary>
    private bool WaitForWork()
    {
        while (_ring.Head == _written)
        {
            if (Volatile.Read(ref _stopping) != 0) return false;
            Volatile.Write(ref _idle, 1);
            Interlocked.MemoryBarrier();
            if (_ring.Head == _written) _wake.WaitOne();
            Volatile.Write(ref _idle, 0);
        }

        while (!_flushAtOnce && Volatile.Read(ref _urgent) == 0 && Volatile.Read(ref _stopping) == 0)
        {
            var left = _options.FlushInterval - _time.GetElapsedTime(_lastFlush);
            if (left <= TimeSpan.Zero) break;
            _wake.WaitOne(left);
        }

        return true;
    }

    /// <summary>Writes what the ring holds, up to a group's size, going on to the next segment where one is full.</summary>
    private void WriteGroup()
    {
        var goal = _written + MaxGroupBytes;
        while (_written < goal && _ring.Head > _written)
        {
            var run = _ring.NextRun(ref _written, _options.SegmentBytes - _offset);
            if (run.Count == 0)
            {
                if (_ring.Head == _written) return;
                Rotate();
                continue;
            }

            RandomAccess.Write(_segment!.File, Bytes(run), _offset);
            _offset += run.Length;
            _written += run.Length;
            (_lastSequence, _lastPosition) = (run.LastSequence, run.LastPosition);
        }
    }

    /// <summary>The only place where anything counts as synced: after fdatasync has returned without an error.</summary>
    private void Flush()
    {
        DurableFile.SyncData(_segment!.File);
        Flushes++;
        _lastFlush = _time.GetTimestamp();
        _segment.AdvanceEnd(_offset);
        _ring.Release(_written, _lastSequence);
        if (_lastPosition != 0) Synced.Advance(_lastPosition);
        Readable.Set();
    }

    private void Rotate()
    {
        Flush();
        while (_reserved is null && !TryReserve())
        {
            // A full disk: what is in the ring stays there, new events are refused meanwhile.
            _wake.WaitOne(DiskFullRetry);
            if (Volatile.Read(ref _stopping) != 0) throw new IOException(Trouble);
        }

        _segment!.Seal();
        OpenNext(_lastSequence + 1);
    }

    private void OpenNext(long firstSequence)
    {
        var segment = Segment.Create(_directory.JournalPath, _reserved!, firstSequence, _lastSequence, _directory);
        _reserved = null;
        _offset = Segment.HeaderLength;
        _segment = segment;
        _log.Add(segment);
    }

    /// <summary>Reserves the next segment when this one is half full, so that a full disk is known early.</summary>
    private void ReserveAhead()
    {
        if (_reserved is null && _offset > _options.SegmentBytes / 2) TryReserve();
    }

    private bool TryReserve()
    {
        try
        {
            _reserved = Segment.Reserve(_directory.JournalPath, _options.SegmentBytes);
            if (State == JournalState.DiskFull) Log.SpaceAgain(_logger);
            Trouble = null;
            Volatile.Write(ref _state, (int)JournalState.Running);
            return true;
        }
        catch (IOException error)
        {
            if (State != JournalState.DiskFull) Log.DiskFull(_logger, _directory.JournalPath, error.Message);
            Trouble = $"The next journal segment cannot be made ({error.Message}). Free space for {_directory.JournalPath}.";
            Volatile.Write(ref _state, (int)JournalState.DiskFull);
            return false;
        }
    }

    private static unsafe ReadOnlySpan<byte> Bytes(RingRun run) => new((void*)run.Address, run.Length);

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Critical, "The journal is poisoned: a write or flush of {Segment} failed; no event is acknowledged any more")]
        public static partial void Poisoned(ILogger logger, string? segment, Exception error);

        [LoggerMessage(1002, LogLevel.Error, "No room for the next journal segment in {Directory} ({Reason}); new events are refused until there is")]
        public static partial void DiskFull(ILogger logger, string directory, string reason);

        [LoggerMessage(1003, LogLevel.Information, "There is room for journal segments again")]
        public static partial void SpaceAgain(ILogger logger);
    }
}

/// <summary>Whether the journal takes events.</summary>
internal enum JournalState
{
    /// <summary>It works.</summary>
    Running = 0,

    /// <summary>The next segment cannot be reserved; tried again every second.</summary>
    DiskFull = 1,

    /// <summary>A write or flush failed: nothing is acknowledged any more in this process.</summary>
    Poisoned = 2,
}
