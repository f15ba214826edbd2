using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>Erased events are in no file of the journal, and nothing that reads it stumbles over their places.</summary>
public sealed class ErasureTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task From_full_segments_and_from_the_one_being_written()
    {
        using (var journal = new JournalUnderTest(_directory.Path))
        {
            journal.Append(2_000, 600);
            await journal.SyncAsync();
            journal.ReadAll();
            var erased = new[] { journal.Appended[10], journal.Appended[700], journal.Appended[1_999] };
            var erasing = journal.Journal.TryEraseAsync(FramesOf(erased), Patience, CancellationToken.None);
            while (!erasing.IsCompleted)
            {
                journal.ReadAll(); // the reader goes on, as the store writer's does
                await Task.Yield();
            }

            Assert.True(await erasing);
            journal.Journal.WipeRing();
            Assert.Equal(
                [], erased.Where(one => Holds(one.Payload) || Holds($"\"number\":{one.DedupId[2..]},")).Select(one => one.DedupId));
            Assert.True(Holds(journal.Appended[11].Payload));

            journal.Append(5, 600);
            await journal.SyncAsync();
            Assert.Equal(journal.Appended[^5..], journal.ReadAll());
        }

        // Started again with a store that has nothing: all but the erased ones are found, and no gap.
        using var again = new JournalUnderTest(_directory.Path);
        Assert.Equal(2_002, again.Unstored.Count);
        Assert.Equal(2_002, again.ReadAll().Count);
        Assert.Equal((0, 0), (again.Journal.Gaps, again.Journal.SetAside));
    }

    [Fact]
    public async Task It_says_so_when_they_are_not_stored_in_time()
    {
        using var journal = new JournalUnderTest(_directory.Path);
        journal.Append(10, 600);
        await journal.SyncAsync();

        Assert.False(
            await journal.Journal.TryEraseAsync(FramesOf([journal.Appended[3]]), TimeSpan.FromMilliseconds(50), CancellationToken.None));
        Assert.Equal(10, journal.ReadAll().Count);
    }

    [Fact]
    public void An_erased_frame_is_good_and_empty()
    {
        var item = TestEvent.Numbered(1, new EventId(7, 8)).ToJournaled();
        var bytes = new byte[Frame.LengthOf(item)];
        Frame.Write(bytes, item, sequence: 3, secret: 5);

        Frame.Erase(bytes, secret: 5);

        Assert.Equal(FrameState.Good, Frame.Read(bytes, 5, out var frame));
        Assert.Equal((3L, true, false, bytes.Length), (frame.Sequence, frame.IsErased, frame.IsWhole, frame.Length));
        Assert.Equal((item.Id, item.OrganizationNo, 0), (frame.Event.Id, frame.Event.OrganizationNo, frame.Event.Payload.Length));
        Assert.True(bytes.AsSpan(Frame.FixedLength).IndexOfAnyExcept((byte)0) < 0);
    }

    private static ErasedFrames FramesOf(IEnumerable<TestEvent> events) =>
        ErasedFrames.Of(events.Select(one => (one.OrganizationNo, one.Id)).ToHashSet());

    private bool Holds(string text) => Directory.EnumerateFiles(Path.Combine(_directory.Path, "journal")).Any(file =>
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
    });
}
