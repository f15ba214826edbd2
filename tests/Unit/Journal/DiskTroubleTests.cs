using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Tests.Unit.Journal;

public sealed class DiskTroubleTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task A_full_disk_is_known_early_loses_nothing_and_ends_by_itself()
    {
        using var disk = new SmallDisk(4 << 20);
        using var journal = new JournalUnderTest(disk.Path);
        disk.Fill();
        while (journal.Journal.State == JournalState.Running && journal.Appended.Count < 200)
        {
            journal.Append(2_000);
            await journal.SyncAsync(); // half a segment is still there
        }

        Assert.True(SpinWait.SpinUntil(() => journal.Journal.State == JournalState.DiskFull, Patience));
        Assert.Contains(disk.Path, journal.Journal.Trouble);

        // Nothing is appended, nothing is nudged: the journal must find the space by itself.
        disk.Free();
        Assert.True(SpinWait.SpinUntil(() => journal.Journal.State == JournalState.Running, Patience));
        Assert.Null(journal.Journal.Trouble);
        journal.Append(300, 2_000);
        await journal.SyncAsync();
        Assert.Equal(journal.Appended, journal.ReadAll());
    }

    [Fact]
    public async Task While_the_disk_is_full_events_stay_in_the_ring_until_it_is_full_too()
    {
        using var disk = new SmallDisk(4 << 20);
        using var journal = new JournalUnderTest(disk.Path);
        disk.Fill();
        while (true)
        {
            var next = TestEvent.Numbered(journal.Appended.Count + 1, new(((ulong)journal.Appended.Count + 1) << 16, 1), 2_000);
            var isTaken = SpinWait.SpinUntil(() => journal.Journal.TryAppend(next.ToJournaled()), TimeSpan.FromSeconds(1));
            if (!isTaken) break;
            journal.Appended.Add(next);
        }

        Assert.Equal(JournalState.DiskFull, journal.Journal.State);
        Assert.True(journal.Journal.UnsyncedBytes > JournalUnderTest.Small.RingBytes * 9 / 10);
        using var copy = new TempDirectory();
        Snapshot.Take(disk.Path, copy.At("a"));
        using (var killed = new JournalUnderTest(copy.At("a"))) Assert.Equal(journal.Appended, killed.ReadAll());

        disk.Free();
        await journal.SyncAsync();
        Assert.Equal(journal.Appended, journal.ReadAll());
    }

    [Fact]
    public void A_stop_on_a_full_disk_leaves_the_rest_to_the_next_start()
    {
        using var disk = new SmallDisk(4 << 20);
        List<TestEvent> appended;
        using (var journal = new JournalUnderTest(disk.Path))
        {
            disk.Fill();
            journal.Append(350, 2_000); // more than the segment, less than segment and ring
            Assert.True(SpinWait.SpinUntil(() => journal.Journal.State == JournalState.DiskFull, Patience));
            appended = journal.Appended;
        }

        disk.Free();
        using var started = new JournalUnderTest(disk.Path);
        Assert.Equal(appended, started.ReadAll());
    }

    [Fact]
    public void A_start_on_a_full_disk_fails_and_leaves_everything_as_it_was()
    {
        using var disk = new SmallDisk(4 << 20);
        List<TestEvent> appended;
        using (var journal = new JournalUnderTest(disk.Path))
        {
            journal.Append(100, 2_000);
            appended = journal.Appended;
        }

        disk.Fill();
        for (var i = 0; i < 3; i++) Assert.ThrowsAny<Exception>(() => new JournalUnderTest(disk.Path));
        disk.Free();
        using var started = new JournalUnderTest(disk.Path);
        Assert.Equal(appended, started.ReadAll());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_write_or_flush_is_final_and_what_was_answered_comes_back_at_the_next_start(bool flush)
    {
        using var journal = new JournalUnderTest(_directory.At("a"), flushAtOnce: true);
        journal.Append(50, 500);
        await journal.SyncAsync();
        var before = journal.Journal.Synced.Position;
        var path = Snapshot.Segments(_directory.At("a"))[^1];
        if (flush) FileFault.FailFlushes(path);
        else FileFault.FailWrites(path);
        journal.Append(20, 500);
        Assert.False(await journal.Journal.Synced.WaitAsync(journal.Appended[^1].Id.High, Patience, TimeProvider.System, default));
        Assert.Equal((JournalState.Poisoned, before), (journal.Journal.State, journal.Journal.Synced.Position));
        Assert.NotNull(journal.Journal.Trouble);

        Snapshot.Take(_directory.At("a"), _directory.At("b"));
        using var started = new JournalUnderTest(_directory.At("b"));
        Assert.Equal(journal.Appended, started.ReadAll());
    }

    [Fact]
    public async Task After_a_failed_flush_the_unflushed_frames_are_written_anew_even_where_the_segment_seems_to_have_them()
    {
        using var journal = new JournalUnderTest(_directory.At("a"), options: JournalUnderTest.Lazy);
        journal.Append(50, 500);
        await journal.SyncAsync();
        journal.Append(20, 500);
        Snapshot.Take(_directory.At("a"), _directory.At("b"));
        var newest = Snapshot.Segments(_directory.At("b"))[^1];

        // The page cache showed all twenty; the disk has half of one's payload and garbage behind the next.
        await journal.SyncAsync();
        var bytes = File.ReadAllBytes(Snapshot.Segments(_directory.At("a"))[^1]);
        var offset = Segment.HeaderLength;
        for (var i = 0; i < 55; i++) offset += Frame.PeekLength(bytes.AsSpan(offset));
        bytes.AsSpan(offset + 200, 100).Clear();
        File.WriteAllBytes(newest, bytes);
        using var started = new JournalUnderTest(_directory.At("b"));
        Assert.Equal(journal.Appended, started.Unstored);
        Assert.Equal(journal.Appended, started.ReadAll());
        Assert.Equal((0L, 0L), (started.Journal.SetAside, started.Journal.Gaps));
        started.Dispose();
        using var again = new JournalUnderTest(_directory.At("b"));
        Assert.Equal(journal.Appended, again.ReadAll());
    }

    [Fact]
    public void Errors_of_the_system_are_seen()
    {
        using var device = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Assert.Throws<IOException>(() => DurableFile.SyncData(device));
        using var file = File.OpenHandle(_directory.At("file"), FileMode.CreateNew, FileAccess.ReadWrite);
        Assert.Throws<IOException>(() => DurableFile.Reserve(file, long.MaxValue));
        Assert.Throws<IOException>(() => DurableFile.SyncDirectory(_directory.At("none")));
        DurableFile.Reserve(file, 4096);
        Assert.Equal(4096, RandomAccess.GetLength(file));
    }

    public void Dispose() => _directory.Dispose();
}
