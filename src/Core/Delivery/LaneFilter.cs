namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// With which list of patterns a lane reads, and how far that list holds. A page is read with one list and may reach past it; what is past
/// it is dropped, to be read again with the next one. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneFilter
{
    private EventId? _pin;
    private EventId? _readThrough;

    /// <summary>Whether events after this id wait for a change of the filter.</summary>
    public bool HoldsAfter(EventId id) => id >= _pin;

    /// <summary>The list for a read after this id.</summary>
    public EventTypePatterns BeginRead(EndpointFilters filters, EventId after)
    {
        (var patterns, _readThrough) = filters.After(after);
        return patterns;
    }

    /// <summary>
    /// The page without what is under another list than it was read with. An event past the end of the list shows that all before it are
    /// stored.
    /// </summary>
    public LanePage? CutOff(LanePage? page)
    {
        var end = _pin is { } pin && !(_readThrough <= pin) ? pin : _readThrough;
        if (page is null || end is not { } last || page.ScannedThrough <= last) return page;
        return new LanePage([.. page.Events.TakeWhile(due => due.Id <= last)], last);
    }

    /// <summary>
    /// A change begins: nothing after the returned place is read until it ends. That is <paramref name="lastOfOld"/>, or a later one if the
    /// lane has come that far or the last change was there.
    /// </summary>
    public EventId Pin(EventId lastOfOld, EventId readThrough, EndpointFilters filters)
    {
        var lastChange = filters.Versions.Count == 0 ? default : filters.Versions[^1].From;
        if (readThrough > lastOfOld) lastOfOld = readThrough;
        if (lastChange > lastOfOld) lastOfOld = lastChange;
        _pin = lastOfOld;
        return lastOfOld;
    }

    /// <summary>The change has ended; a read that is under way was made with the old list.</summary>
    public void Unpin(bool isReading)
    {
        if (isReading && !(_readThrough <= _pin)) _readThrough = _pin;
        _pin = null;
    }
}
