using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// A journal with a small ring and small segments in a directory of the test's, with what was appended and what a start found.
/// </summary>
internal sealed class JournalUnderTest : IDisposable
{
    public static readonly JournalOptions Small = new()
    {
        RingBytes = 1 << 20,
        SegmentBytes = 512 << 10,
        FlushInterval = TimeSpan.FromMilliseconds(1),
    };

    /// <summary>Flushes only when it is told to, but for the first event.</summary>
    public static readonly JournalOptions Lazy = Small with { FlushInterval = TimeSpan.FromMinutes(1) };

    /// <summary>Flushes without looking at a clock that a test may have stopped.</summary>
    public static readonly JournalOptions Eager = Small with { FlushInterval = TimeSpan.Zero };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly EventIdGenerator _ids;
    private readonly JournalBatch _batch = new();
    private int _number;

    public JournalUnderTest(string path, Checkpoint stored = default, JournalOptions? options = null, bool flushAtOnce = false)
    {
        Directory = DataDirectory.Open(path, TimeProvider.System);
        try
        {
            (Journal, Recovered) = FileJournal.Open(
                Directory,
                options ?? Small,
                flushAtOnce,
                stored,
                item => Unstored.Add(TestEvent.Of(item)),
                SystemLoopHost.Instance,
                TimeProvider.System,
                NullLogger.Instance);
        }
        catch
        {
            Directory.Dispose();
            throw;
        }

        _ids = new EventIdGenerator(Recovered.LastId > stored.Id ? Recovered.LastId : stored.Id);
    }

    public DataDirectory Directory { get; }

    public FileJournal Journal { get; }

    public RecoveredJournal Recovered { get; }

    /// <summary>What the start found behind the checkpoint.</summary>
    public List<TestEvent> Unstored { get; } = [];

    /// <summary>What this journal took, in order.</summary>
    public List<TestEvent> Appended { get; } = [];

    /// <summary>Appends one, waiting for room in the ring.</summary>
    public TestEvent Append(int payloadBytes = 200)
    {
        var item = TestEvent.Numbered(++_number, _ids.Next(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()), payloadBytes);
        var journaled = item.ToJournaled();
        Assert.True(SpinWait.SpinUntil(() => Journal.TryAppend(journaled), Patience), Journal.Trouble);
        Appended.Add(item);
        return item;
    }

    public void Append(int count, int payloadBytes)
    {
        for (var i = 0; i < count; i++) Append(payloadBytes);
    }

    /// <summary>Waits until all that was appended is flushed.</summary>
    public async Task SyncAsync()
    {
        Journal.Nudge();
        Assert.True(await Journal.Synced.WaitAsync(Appended[^1].Id.High, Patience, TimeProvider.System, default), Journal.Trouble);
    }

    /// <summary>Reads what can be read now. The checkpoint behind it is <see cref="ReadThrough"/>.</summary>
    public List<TestEvent> ReadAll()
    {
        var events = new List<TestEvent>();
        while (Journal.TryRead(_batch))
        {
            foreach (ref readonly var item in _batch.Events.Span) events.Add(TestEvent.Of(item));
            ReadThrough = _batch.End;
        }

        return events;
    }

    /// <summary>The checkpoint behind what was read.</summary>
    public Checkpoint ReadThrough { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Journal.Dispose();
        Directory.Dispose();
    }
}
