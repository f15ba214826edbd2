using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// An inbox page while its rows are read: full at the asked number of events, or before it once their payloads have
/// <see cref="MaxBytes"/>, so that no page holds the memory of a thousand large events. At least one event is always in it.
/// </summary>
internal sealed class PageUnderWay(int limit)
{
    /// <summary>Payload bytes: a thousand events of the usual sizes fit, of the largest 16.</summary>
    public const int MaxBytes = 4 << 20;

    private readonly List<StoredEvent> _events = [];
    private long _bytes;

    /// <summary>Whether a row came that is not in the page any more.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Takes the next row; false when the page ends before it, and reading with it.</summary>
    public bool TryAdd(StoredEvent next)
    {
        HasMore = _events.Count == limit || (_events.Count > 0 && _bytes + next.Payload.Length > MaxBytes);
        if (HasMore) return false;
        _events.Add(next);
        _bytes += next.Payload.Length;
        return true;
    }

    /// <summary>The page, with the total if it was counted.</summary>
    public InboxPage End(long? total) => new(_events, HasMore, total);
}
