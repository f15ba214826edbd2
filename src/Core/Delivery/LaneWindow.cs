namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// The stretch of a lane between its cursor and where it has read to: the ids that were read and are not finished, in order. The cursor is
/// the end of the finished ones without a gap, so it never passes an unfinished event. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneWindow(EventId cursor)
{
    private readonly Queue<EventId> _unfinished = new();
    private readonly HashSet<EventId> _finishedEarly = [];
    private EventId _finishedThrough = cursor;

    /// <summary>The last id looked at in the store.</summary>
    public EventId ReadThrough { get; private set; } = cursor;

    /// <summary>Ids from the first unfinished one on.</summary>
    public int Count => _unfinished.Count;

    /// <summary>Everything up to here is finished.</summary>
    public EventId Cursor => _unfinished.Count == 0 ? ReadThrough : _finishedThrough;

    /// <summary>Adds an id that was read; ids come in order.</summary>
    public void Add(EventId id)
    {
        _unfinished.Enqueue(id);
        if (id > ReadThrough) ReadThrough = id;
    }

    /// <summary>Notes how far the store was looked through.</summary>
    public void ScannedThrough(EventId id)
    {
        if (id > ReadThrough) ReadThrough = id;
    }

    /// <summary>Notes that an id is finished: its outcome is about to be recorded, or it was acknowledged.</summary>
    public void Finish(EventId id)
    {
        _finishedEarly.Add(id);
        while (_unfinished.TryPeek(out var first) && _finishedEarly.Remove(first))
        {
            _finishedThrough = first;
            _unfinished.Dequeue();
        }
    }
}
