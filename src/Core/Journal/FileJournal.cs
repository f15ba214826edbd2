using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Journal;

/// <summary>The journal on this machine: a memory-mapped ring, then segment files (design: docs/architecture.md).</summary>
internal sealed class FileJournal : IJournal, IDisposable
{
    private static readonly TimeSpan StoredPoll = TimeSpan.FromMilliseconds(20);

    private readonly DataDirectory _directory;
    private readonly JournalOptions _options;
    private readonly TimeProvider _time;
    private readonly Ring _ring;
    private readonly RecoveredJournal _recovered;
    private readonly SegmentLog _log;
    private readonly JournalWriter _writer;
    private readonly JournalReader _reader;
    private readonly SegmentErasure _erasure;
    private long _sequence;

    private FileJournal(
        DataDirectory directory,
        JournalOptions options,
        bool flushAtOnce,
        RecoveredJournal recovered,
        Checkpoint stored,
        ILoopHost host,
        TimeProvider time,
        ILogger logger)
    {
        (_directory, _options, _time, _recovered, _log) = (directory, options, time, recovered, recovered.Log);
        _sequence = recovered.HighestSequence + JournalRecovery.SequenceJump;
        _ring = Ring.Create(directory.Disk, Path.Combine(directory.JournalPath, Ring.FileName), options.RingBytes, _sequence - 1);
        _writer = new JournalWriter(_ring, _log, new SegmentSupply(directory, options, logger), options, flushAtOnce, time, logger);
        _reader = new JournalReader(_log, directory.FrameSecret, recovered.First, stored, time, logger);
        _erasure = new SegmentErasure(directory, logger);
        SegmentErasure.RemoveLeftovers(directory);
        if (recovered.GapFrom > 0) _reader.OpenGaps.Add(Consent.PathOf(directory.JournalPath, recovered.GapFrom));
        try
        {
            _writer.Start(host, _sequence, recovered.LastSequence, Math.Max(recovered.LastId.High, stored.Id.High));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Watermark Synced => _writer.Synced;

    /// <inheritdoc/>
    public WakeSignal Readable => _writer.Readable;

    /// <inheritdoc/>
    public JournalState State => _writer.State;

    /// <inheritdoc/>
    public string? Trouble => _writer.Trouble;

    /// <inheritdoc/>
    public long UnsyncedBytes => _ring.Used;

    /// <summary>Bytes of frames that it can hold unflushed.</summary>
    public long RingBytes => _ring.Capacity;

    /// <summary>Flushes since the start.</summary>
    public long Flushes => _writer.Flushes;

    /// <summary>Segment files on disk.</summary>
    public int Segments => _log.Count;

    /// <summary>Events set aside because their payload was damaged.</summary>
    public long SetAside => _reader.SetAside;

    /// <summary>Breaks in the sequence that were found while reading.</summary>
    public long Gaps => _recovered.Gaps + _reader.Gaps;

    /// <summary>How many of them nobody has acknowledged, and the file that acknowledges the first.</summary>
    public (int Count, string? FirstConsent) OpenGaps => _reader.OpenGaps.Read(_directory.Disk);

    /// <summary>
    /// Recovers what the directory holds and opens the journal behind it.
    /// </summary>
    /// <param name="directory">Locked by this process.</param>
    /// <param name="options">Sizes and times.</param>
    /// <param name="flushAtOnce">Whether answers wait for the flush (<see cref="AckWhen"/> above journaled).</param>
    /// <param name="stored">The store's checkpoint.</param>
    /// <param name="unstored">Called for each event behind the checkpoint, in order.</param>
    /// <param name="host">Where its writer runs.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">For what an operator must know.</param>
    /// <exception cref="JournalException">The journal cannot be used as it is.</exception>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public static (FileJournal Journal, RecoveredJournal Recovered) Open(
        DataDirectory directory,
        JournalOptions options,
        bool flushAtOnce,
        Checkpoint stored,
        Action<JournaledEvent> unstored,
        ILoopHost host,
        TimeProvider time,
        ILogger logger)
    {
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0) throw new JournalException(problems);
        var recovered = new JournalRecovery(directory, stored, unstored, time, logger).Run();
        try
        {
            return (new FileJournal(directory, options, flushAtOnce, recovered, stored, host, time, logger), recovered);
        }
        catch
        {
            recovered.Log.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryAppend(in JournaledEvent item)
    {
        var length = Frame.LengthOf(item);
        if (!_ring.TryReserve(length, out var frame)) return false;
        Frame.Write(frame, item, _sequence, _directory.FrameSecret);
        _sequence++;
        _ring.Publish();
        _writer.Appended();
        return true;
    }

    /// <inheritdoc/>
    public bool HasRoomFor(long bytes, int longest) => _ring.HasRoomFor(bytes, longest);

    /// <inheritdoc/>
    public void Nudge() => _writer.Nudge();

    /// <inheritdoc/>
    public void Hasten() => _writer.Hasten();

    /// <inheritdoc/>
    public bool TryRead(JournalBatch batch) => _reader.TryRead(batch);

    /// <inheritdoc/>
    public void Trim() => _log.Trim(_time.GetTimestamp() - (long)(_options.RetainFor.TotalSeconds * _time.TimestampFrequency));

    /// <summary>The first event that it holds, stored or not; the zero id when it holds none.</summary>
    public EventId FirstHeld => _log.All is [var first, ..] ? _erasure.FirstIdOf(first) : default;

    /// <summary>
    /// Erases stored events from the segments: ends the present one if some are in it, waits until each segment that holds some is wholly
    /// stored,
    /// and writes it anew. False when that takes longer than <paramref name="atMost"/>; what was done stays done. Not for concurrent use.
    /// </summary>
    public async Task<bool> TryEraseAsync(ErasedFrames erased, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var (start, segments) = (_time.GetTimestamp(), _log.All);
        for (var i = 0; i < segments.Count; i++)
        {
            var segment = segments[i];
            var next = i + 1 < segments.Count ? _erasure.FirstIdOf(segments[i + 1]) : default;
            if (!erased.MayBeBetween(_erasure.FirstIdOf(segment), next)) continue;
            if (!segment.IsSealed) _writer.Rotate();
            bool isGone;
            while (!_log.TryHold(segment, out isGone) && !isGone)
            {
                if (_time.GetElapsedTime(start) > atMost || State == JournalState.Poisoned) return false;
                _writer.Readable.Set(); // the reader goes on to the next segment, and so says that this one is stored
                await Task.Delay(StoredPoll, _time, cancellationToken);
            }

            if (isGone) continue;
            IDiskFile? replacement = null;
            try
            {
                replacement = _erasure.Rewrite(segment, segment.End, erased);
            }
            finally
            {
                _log.Release(segment, replacement);
            }
        }

        return true;
    }

    /// <summary>Overwrites what the ring still has of flushed events. For the appender.</summary>
    public void WipeRing() => _ring.WipeFree();

    /// <summary>Flushes what is left and closes.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _ring.Close();
        _ring.Dispose();
        _log.Dispose();
    }
}
