using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

public sealed class RotationTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task Events_go_through_many_segments_in_order()
    {
        using var journal = new JournalUnderTest(_directory.Path);
        journal.Append(4_000, 2_000);
        await journal.SyncAsync();
        Assert.InRange(journal.Journal.Segments, 16, 18);
        Assert.Equal(journal.Appended, journal.ReadAll());
        Assert.Equal((0L, 0L), (journal.Journal.Gaps, journal.Journal.UnsyncedBytes));
    }

    [Fact]
    public async Task The_largest_events_fit()
    {
        using var journal = new JournalUnderTest(_directory.Path);
        journal.Append(12, 262_000);
        await journal.SyncAsync();
        Assert.Equal(journal.Appended, journal.ReadAll());
    }

    [Fact]
    public async Task Only_what_is_stored_and_was_kept_long_enough_is_deleted_and_never_the_newest()
    {
        using var journal = new JournalUnderTest(_directory.Path, options: JournalUnderTest.Small with { RetainFor = TimeSpan.Zero });
        journal.Append(1_000, 2_000);
        await journal.SyncAsync();
        var all = journal.Journal.Segments;
        journal.Journal.Trim();
        Assert.Equal(all, journal.Journal.Segments); // nothing was read yet

        var batch = new JournalBatch();
        Assert.True(journal.Journal.TryRead(batch));
        journal.Journal.Trim();
        Assert.Equal(all, journal.Journal.Segments); // read, but nobody has said that it is stored
        Assert.True(journal.Journal.TryRead(batch)); // asking for more says so
        journal.Journal.Trim();
        Assert.Equal(all - 1, journal.Journal.Segments);

        journal.ReadAll();
        journal.Journal.Trim();
        Assert.Equal(1, journal.Journal.Segments);
        Assert.Single(Snapshot.Segments(_directory.Path));
        journal.Append();
        await journal.SyncAsync();
        Assert.Equal(journal.Appended.TakeLast(1), journal.ReadAll());
    }

    [Fact]
    public async Task What_is_stored_is_kept_for_a_while()
    {
        using var journal = new JournalUnderTest(_directory.Path);
        journal.Append(1_000, 2_000);
        await journal.SyncAsync();
        journal.ReadAll();
        var all = journal.Journal.Segments;
        journal.Journal.Trim();
        Assert.Equal(all, journal.Journal.Segments);
    }

    [Fact]
    public void Settings_that_cannot_work_are_refused_by_name()
    {
        Assert.Empty(new JournalOptions().Problems());
        var wrong = new JournalOptions
        {
            RingBytes = (1 << 20) + 1,
            SegmentBytes = 1,
            FlushInterval = TimeSpan.FromHours(1),
            MaxBytes = 5,
            RetainFor = TimeSpan.FromSeconds(-1),
        };
        var problems = wrong.Problems().ToList();
        foreach (var key in new[] { "RingBytes", "SegmentBytes", "FlushInterval", "MaxBytes", "RetainFor" })
            Assert.Contains(problems, problem => problem.StartsWith("Journal:" + key, StringComparison.Ordinal));
        Assert.Throws<JournalException>(() => new JournalUnderTest(_directory.Path, options: wrong));
    }

    public void Dispose() => _directory.Dispose();
}
