using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>A real journal behind a step that a test puts in front of each append: it may throw, or say that there is no room.</summary>
internal sealed class FaultyJournal(FileJournal journal) : IJournal
{
    /// <summary>Called before each append; false = there is no room.</summary>
    public Func<bool> BeforeAppend { get; set; } = () => true;

    public Watermark Synced => journal.Synced;

    public WakeSignal Readable => journal.Readable;

    public JournalState State => journal.State;

    public string? Trouble => journal.Trouble;

    public long UnsyncedBytes => journal.UnsyncedBytes;

    public bool TryAppend(in JournaledEvent item) => BeforeAppend() && journal.TryAppend(item);

    public bool HasRoomFor(long bytes, int longest) => journal.HasRoomFor(bytes, longest);

    public void Nudge() => journal.Nudge();

    public bool TryRead(JournalBatch batch) => journal.TryRead(batch);

    public void Trim() => journal.Trim();
}
