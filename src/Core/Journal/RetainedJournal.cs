namespace ZapierTriggers.Core.Journal;

/// <summary>
/// All events that the segments of a stopped server still hold, stored ones too, in order. Only reads: what the ring holds beside them and
/// how the newest segment ends is the next start's affair.
/// </summary>
internal sealed class RetainedJournal : IDisposable
{
    private const int PieceBytes = 2 << 20;

    private readonly List<Segment> _segments = [];
    private readonly SegmentReader _reader;
    private readonly List<ReadFrame> _frames = [];

    /// <summary>Opens the segments. Throws <see cref="JournalException"/> for one of another journal, or newer.</summary>
    public RetainedJournal(DataDirectory directory)
    {
        _reader = new SegmentReader(PieceBytes, directory.FrameSecret);
        try
        {
            foreach (var path in directory.Disk.List(directory.JournalPath, Segment.Extension).Order(StringComparer.Ordinal))
                _segments.Add(Segment.Open(path, directory));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Segment files.</summary>
    public int Segments => _segments.Count;

    /// <summary>Frames read with a greater sequence and no greater id than one before.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>The last sequence that went before what is held; 0 = nothing did.</summary>
    public long Before => _segments.Count == 0 ? 0 : _segments[0].PreviousSequence;

    /// <summary>
    /// Reads everything from the start, into the same batch piece by piece: the memories of its events are valid until the next one. A gap
    /// in the sequence ends a batch and is told by <see cref="RetainedPiece.IsBehindGap"/> of the next.
    /// </summary>
    public IEnumerable<RetainedPiece> Read(JournalBatch batch)
    {
        var (sequence, last, damaged) = (Before, default(EventId), 0);
        foreach (var segment in _segments)
        {
            var isBehindGap = segment.PreviousSequence > sequence;
            sequence = Math.Max(sequence, segment.FirstSequence - 1);
            var offset = (long)Segment.HeaderLength;
            FrameState state;
            do
            {
                state = _reader.Read(segment, ref offset, segment.File.Length, _frames);
                batch.Clear();
                damaged = 0;
                foreach (var frame in _frames)
                {
                    isBehindGap |= frame.Sequence > sequence + 1;
                    if (frame.Sequence > sequence && frame.Event.Id <= last) OutOfOrder++;
                    sequence = Math.Max(sequence, frame.Sequence);
                    if (frame.Event.Id <= last) continue; // also in an older segment
                    last = frame.Event.Id;
                    if (frame.IsWhole) batch.Add(frame);
                    else batch.PassOver(frame);
                    if (frame is { IsWhole: false, IsErased: false }) damaged++;
                }

                if (batch.IsEmpty) continue;
                yield return new RetainedPiece(batch, damaged, isBehindGap);
                isBehindGap = false;
            }
            while (state == FrameState.Good);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var segment in _segments) segment.Dispose();
    }
}

/// <summary>Some events of a <see cref="RetainedJournal"/>.</summary>
/// <param name="Batch">The events.</param>
/// <param name="Damaged">Events among them whose payload is damaged; they are not in the batch.</param>
/// <param name="IsBehindGap">Whether sequences that were used are missing before or within these.</param>
internal readonly record struct RetainedPiece(JournalBatch Batch, int Damaged, bool IsBehindGap);
