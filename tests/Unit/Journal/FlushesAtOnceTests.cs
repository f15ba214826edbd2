using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// Flushes that overlap: what comes while one is under way does not wait for it, and none counts for more than it covered.
/// </summary>
public sealed class FlushesAtOnceTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly JournalOptions TwoAtOnce = JournalUnderTest.Small with { FlushesAtOnce = 2 };

    private readonly TempDirectory _directory = new();
    private readonly GatedDisk _disk = new();

    [Fact]
    public async Task An_event_does_not_wait_for_the_flush_of_the_one_before_and_its_own_covers_both()
    {
        using var journal = Open(TwoAtOnce);
        _disk.Hold();
        var first = journal.Append();
        Until(() => _disk.Held.Count == 1);
        var second = journal.Append();
        Until(() => _disk.Held.Count == 2);
        Assert.True(journal.Journal.Synced.Position < first.Id.High);

        _disk.Held[1].LetGo();
        await SyncedAsync(journal, second);
        Assert.Equal(0, journal.Journal.UnsyncedBytes);
        Assert.Equal(journal.Appended, journal.ReadAll());

        _disk.Held[0].LetGo(); // the older one has nothing to add, and takes nothing back
        Until(() => _disk.Held.Count == 0);
        var third = journal.Append();
        Until(() => _disk.Held.Count == 1);
        Assert.Equal(second.Id.High, journal.Journal.Synced.Position);
        _disk.LetGo();
        await SyncedAsync(journal, third);
    }

    [Fact]
    public void With_one_at_a_time_the_next_group_gathers()
    {
        using var journal = Open(TwoAtOnce with { FlushesAtOnce = 1 });
        _disk.Hold();
        journal.Append();
        Until(() => _disk.Held.Count == 1);
        journal.Append(10, 200);
        _disk.Held[0].LetGo();
        Until(() => journal.Journal.Flushes == 1 && _disk.Held.Count == 1);
        _disk.LetGo();
        Until(() => journal.Journal.UnsyncedBytes == 0);
        Assert.Equal(2, journal.Journal.Flushes);
    }

    [Fact]
    public async Task After_one_has_failed_another_that_succeeds_proves_nothing()
    {
        using var journal = Open(TwoAtOnce);
        _disk.Hold();
        var before = journal.Journal.Synced.Position;
        journal.Append();
        Until(() => _disk.Held.Count == 1);
        var second = journal.Append();
        Until(() => _disk.Held.Count == 2);
        _disk.Held[0].Fail();
        Assert.False(await journal.Journal.Synced.WaitAsync(second.Id.High, Patience, TimeProvider.System, default));
        _disk.LetGo();
        Until(() => _disk.Held.Count == 0);
        Assert.Equal((JournalState.Poisoned, before), (journal.Journal.State, journal.Journal.Synced.Position));
        Assert.NotEqual(0, journal.Journal.UnsyncedBytes);
        journal.Dispose();

        using var started = new JournalUnderTest(_directory.Path);
        Assert.Equal(journal.Appended, started.ReadAll());
    }

    [Fact]
    public async Task A_segment_that_ends_under_a_flush_is_let_go_when_that_is_over()
    {
        using var journal = Open(TwoAtOnce);
        journal.Append();
        await journal.SyncAsync();
        var ended = Snapshot.Segments(_directory.Path)[^1];
        _disk.Hold();
        journal.Append();
        Until(() => _disk.Held.Count == 1);
        var late = _disk.Held[0];
        journal.Append(300, 2_000); // more than its rest: another thread goes on to the next one meanwhile
        Until(() =>
        {
            foreach (var flush in _disk.Held.Where(flush => flush != late)) flush.LetGo();
            return Snapshot.Segments(_directory.Path).Length > 1 && journal.Journal.UnsyncedBytes == 0;
        });
        Assert.Equal(2, OpenFiles(ended)); // the reader's, and that of the flush under way
        _disk.LetGo();
        Until(() => OpenFiles(ended) == 1);
        await journal.SyncAsync();
        Assert.Equal(journal.Appended, journal.ReadAll());
        Assert.Equal((0L, 0L), (journal.Journal.Gaps, journal.Journal.SetAside));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public async Task Events_go_through_many_segments_in_order_whoever_flushes(int flushesAtOnce)
    {
        using (var journal = Open(TwoAtOnce with { FlushesAtOnce = flushesAtOnce }))
        {
            for (var i = 0; i < 40; i++)
            {
                journal.Append(100, 2_000);
                if (i % 4 == 0) await journal.SyncAsync();
            }

            await journal.SyncAsync();
            Assert.InRange(journal.Journal.Segments, 16, 18);
            Assert.Equal(journal.Appended, journal.ReadAll());
            Assert.Equal((0L, 0L), (journal.Journal.Gaps, journal.Journal.UnsyncedBytes));
            Assert.True(journal.Journal.Synced.Position == journal.Appended[^1].Id.High && !journal.Journal.Synced.HasFailed);
        }

        using var started = new JournalUnderTest(_directory.Path);
        Assert.Equal(4_000, started.ReadAll().Count);
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private JournalUnderTest Open(JournalOptions options) => new(_directory.Path, options: options, flushAtOnce: true, disk: _disk);

    private static async Task SyncedAsync(JournalUnderTest journal, TestEvent item) =>
        Assert.True(await journal.Journal.Synced.WaitAsync(item.Id.High, Patience, TimeProvider.System, default), journal.Journal.Trouble);

    private static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));

    /// <summary>How often this process has the file open.</summary>
    private static int OpenFiles(string path) => Directory.EnumerateFiles("/proc/self/fd").Count(name =>
    {
        try
        {
            return new FileInfo(name).LinkTarget == path;
        }
        catch (IOException)
        {
            return false; // closed meanwhile
        }
    });
}
