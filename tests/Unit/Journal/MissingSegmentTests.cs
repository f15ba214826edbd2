using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// Files that are missing, foreign or newer refuse the start; the message names the path and the remedy, and the remedy works.
/// </summary>
public sealed class MissingSegmentTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string[] Segments => Snapshot.Segments(_directory.Path);

    [Fact]
    public void A_missing_middle_segment_refuses_the_start()
    {
        var written = Write();
        var before = written.Take(Read(Segments[0])).ToList();
        var missing = Read(Segments[1]);
        File.Move(Segments[1], _directory.At("kept"));
        var message = Refusal();
        Assert.Contains(Segments[0], message);
        Assert.Contains(Segments[1], message);
        Consent(message);
        using var started = new JournalUnderTest(_directory.Path);
        Assert.Equal(written.Where((_, i) => i < before.Count || i >= before.Count + missing), started.ReadAll());
        Assert.Equal(1, started.Journal.Gaps);
    }

    [Fact]
    public void A_missing_first_segment_refuses_the_start_while_the_store_lacks_it()
    {
        var written = Write();
        var inFirst = Read(Segments[0]);
        File.Delete(Segments[0]);
        Assert.Contains(Segments[0], Refusal());
        Consent(Refusal());
        using var started = new JournalUnderTest(_directory.Path);
        Assert.Equal(written.Skip(inFirst), started.ReadAll());
        Assert.Equal(1, started.Journal.Gaps);
    }

    [Fact]
    public void A_first_segment_that_is_stored_is_not_missed()
    {
        List<TestEvent> written;
        Checkpoint behindFirst;
        using (var journal = new JournalUnderTest(_directory.Path))
        {
            journal.Append(1_000, 2_000);
            written = journal.Appended;
        }

        var inFirst = Read(Segments[0]);
        using (var journal = new JournalUnderTest(_directory.Path))
        {
            var batch = new JournalBatch();
            Assert.True(journal.Journal.TryRead(batch));
            Assert.Equal(inFirst, batch.Count);
            behindFirst = batch.End;
        }

        File.Delete(Segments[0]);
        using var started = new JournalUnderTest(_directory.Path, behindFirst);
        Assert.Equal(written.Skip(inFirst), started.ReadAll());
        Assert.Equal(0, started.Journal.Gaps);
    }

    [Fact]
    public void A_missing_newest_segment_is_known_from_the_ring()
    {
        Write();
        File.Delete(Segments[^1]);
        Assert.Contains(_directory.At("journal"), Refusal());
        Consent(Refusal());
        using var started = new JournalUnderTest(_directory.Path);
        Assert.Equal(1, started.Journal.Gaps);
    }

    [Fact]
    public void All_segments_missing_is_known_from_the_ring()
    {
        Write();
        foreach (var path in Segments) File.Delete(path);
        Assert.Contains(_directory.At("journal"), Refusal());
    }

    [Fact]
    public void A_journal_moved_away_begins_anew_behind_the_checkpoint()
    {
        Write();
        Directory.Delete(_directory.At("journal"), recursive: true);
        var stored = new Checkpoint(new EventId(ulong.MaxValue >> 8, 1), 7_000_000);
        using var started = new JournalUnderTest(_directory.Path, stored);
        started.Append(10, 100);
        started.Dispose();
        using var again = new JournalUnderTest(_directory.Path, stored);
        Assert.Equal(started.Appended, again.ReadAll());
        Assert.True(again.ReadThrough.Sequence > stored.Sequence);
        Assert.Equal(0, again.Journal.Gaps);
    }

    [Fact]
    public void An_empty_segment_file_is_damage_because_a_header_is_flushed_before_it_gets_its_name()
    {
        Write();
        var path = Segments[1];
        File.WriteAllBytes(path, []);
        Assert.Contains(path, Refusal());
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void A_segment_of_a_newer_version_refuses_the_start()
    {
        Write();
        using (var file = File.OpenHandle(Segments[1], FileMode.Open, FileAccess.Write)) RandomAccess.Write(file, [3], 8);
        Assert.Contains(Segments[1], Refusal());
        Assert.Contains("newer version", Refusal());
    }

    [Fact]
    public void A_segment_of_another_data_directory_refuses_the_start()
    {
        Write();
        using var other = new TempDirectory();
        new JournalUnderTest(other.Path).Dispose();
        File.Copy(Segments[0], Path.Combine(other.Path, "journal", "0000000000000001-0000.segment"));
        var message = Assert.Throws<JournalException>(() => new JournalUnderTest(other.Path)).Message;
        Assert.Contains("0000000000000001-0000.segment belongs to another data directory", message);
    }

    [Fact]
    public void A_refused_start_changes_nothing()
    {
        var written = Write();
        var path = Segments[1];
        File.Move(path, _directory.At("kept"));
        for (var i = 0; i < 3; i++) Refusal();
        File.Move(_directory.At("kept"), path);
        using var started = new JournalUnderTest(_directory.Path);
        Assert.Equal(written, started.ReadAll());
        Assert.Equal(0, started.Journal.Gaps);
    }

    public void Dispose() => _directory.Dispose();

    private List<TestEvent> Write()
    {
        using var journal = new JournalUnderTest(_directory.Path);
        journal.Append(1_000, 2_000);
        return journal.Appended;
    }

    private string Refusal() => Assert.Throws<JournalException>(() => new JournalUnderTest(_directory.Path)).Message;

    /// <summary>Does what the message says.</summary>
    private static void Consent(string message) => File.WriteAllBytes(message.Split("create an empty file ")[1].TrimEnd('.'), []);

    /// <summary>Events in a segment.</summary>
    private static int Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var (offset, count) = (Segment.HeaderLength, 0);
        for (; offset < bytes.Length && Frame.PeekLength(bytes.AsSpan(offset)) > 0; count++)
            offset += Frame.PeekLength(bytes.AsSpan(offset));
        return count;
    }
}
