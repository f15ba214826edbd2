using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Journal;

/// <summary>Events that are stored together, with the sequences that their checkpoints need. Reused.</summary>
internal sealed class JournalBatch
{
    private JournaledEvent[] _events = new JournaledEvent[64];
    private long[] _sequences = new long[64];

    /// <summary>How many events.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of their frames.</summary>
    public long Bytes { get; private set; }

    /// <summary>The events, in order.</summary>
    public ReadOnlyMemory<JournaledEvent> Events => _events.AsMemory(0, Count);

    /// <summary>
    /// The checkpoint behind all that was read, which may be past the last event when one whose payload is damaged came after it; such a
    /// batch may have no events
    /// at all. Default = nothing was read.
    /// </summary>
    public Checkpoint End { get; private set; }

    /// <summary>Whether nothing was read, not even an event to pass over.</summary>
    public bool IsEmpty => End == default;

    /// <summary>The checkpoint behind the first <paramref name="count"/> events.</summary>
    public Checkpoint CheckpointBehind(int count) => count == Count ? End : new(_events[count - 1].Id, _sequences[count - 1]);

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
        End = new(frame.Event.Id, frame.Sequence);
    }

    /// <summary>Moves the end past an event that cannot be stored.</summary>
    public void PassOver(in ReadFrame frame) => End = new(frame.Event.Id, frame.Sequence);

    /// <summary>Takes some of the events out; <see cref="End"/> and <see cref="Bytes"/> stay what they are.</summary>
    public void Remove(IReadOnlySet<EventId> ids)
    {
        var kept = 0;
        for (var index = 0; index < Count; index++)
        {
            if (ids.Contains(_events[index].Id)) continue;
            (_events[kept], _sequences[kept]) = (_events[index], _sequences[index]);
            kept++;
        }

        Count = kept;
    }

    /// <summary>Empties it.</summary>
    public void Clear() => (Count, Bytes, End) = (0, 0, default);
}
