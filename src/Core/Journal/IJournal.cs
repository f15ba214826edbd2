using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// Where accepted events are kept, in order, until the store has them. One appender (the sequencer), one reader (the store writer). The
/// seam behind which a replicated journal can stand.
/// </summary>
internal interface IJournal
{
    /// <summary>Up to where events survive a power cut.</summary>
    Watermark Synced { get; }

    /// <summary>Wakes the reader when there is more to read.</summary>
    WakeSignal Readable { get; }

    /// <summary>Whether it takes events.</summary>
    JournalState State { get; }

    /// <summary>Why it does not, in words that say what to do; null when it does.</summary>
    string? Trouble { get; }

    /// <summary>Bytes that wait to be flushed.</summary>
    long UnsyncedBytes { get; }

    /// <summary>Keeps the event; when this returns true it survives the process. False when there is no room now.</summary>
    bool TryAppend(in JournaledEvent item);

    /// <summary>
    /// Whether frames of so many bytes together, none of them longer than <paramref name="longest"/>, can be appended now, one after the
    /// other. For the appender: what it is told stays true until it appends.
    /// </summary>
    bool HasRoomFor(long bytes, int longest);

    /// <summary>Somebody waits for <see cref="Synced"/>: flush now.</summary>
    void Nudge();

    /// <summary>
    /// A webhook waits for what was appended: flush soon. Unlike <see cref="Nudge"/> it may wait a little for more to come along, so that a
    /// stream of such events does not flush all the time.
    /// </summary>
    void Hasten()
    {
    }

    /// <summary>Reads the next synced events; false when there are none now. Their memories are valid until the next call.</summary>
    bool TryRead(JournalBatch batch);

    /// <summary>Gives back what has been stored long enough.</summary>
    void Trim();
}
