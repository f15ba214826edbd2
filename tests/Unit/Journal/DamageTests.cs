using System.Buffers.Binary;
using CsCheck;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>Bytes of segments that are not what was written.</summary>
public sealed class DamageTests : IDisposable
{
    private const int PayloadBytes = 3_000;
    private readonly TempDirectory _directory = new();

    [Fact]
    public void A_damaged_payload_costs_only_that_event()
    {
        var written = Write(600);
        var path = Snapshot.Segments(_directory.At("a"))[0];
        Flip(path, OffsetOfFrame(path, 20) + Frame.FixedLength + 200);
        using var started = new JournalUnderTest(_directory.At("a"));
        Assert.Equal(written.Where((_, i) => i != 20), started.Unstored);
        Assert.Equal(written.Where((_, i) => i != 20), started.ReadAll());
        Assert.Equal((1L, 0L), (started.Journal.SetAside, started.Journal.Gaps));
    }

    [Fact]
    public void A_damaged_last_event_does_not_hold_the_checkpoint_back()
    {
        var written = Write(5);
        var path = Snapshot.Segments(_directory.At("a"))[^1];
        Flip(path, OffsetOfFrame(path, 4) + Frame.FixedLength + 200);
        using var started = new JournalUnderTest(_directory.At("a"));
        Assert.Equal(written.Take(4), started.ReadAll());
        Assert.Equal(written[4].Id, started.ReadThrough.Id);
    }

    [Fact]
    public void A_damaged_frame_header_ends_its_segment_and_the_next_ones_go_on()
    {
        var written = Write(600);
        var path = Snapshot.Segments(_directory.At("a"))[1];
        var inFirst = FramesIn(Snapshot.Segments(_directory.At("a"))[0]);
        var inSecond = FramesIn(path);
        Flip(path, OffsetOfFrame(path, 30) + 40);
        using var started = new JournalUnderTest(_directory.At("a"));
        var expected = written.Where((_, i) => i < inFirst + 30 || i >= inFirst + inSecond).ToList();
        Assert.Equal(expected, started.Unstored);
        Assert.Equal(expected, started.ReadAll());
        Assert.Equal(1, started.Journal.Gaps);
    }

    [Fact]
    public void Whatever_bit_is_flipped_nothing_is_altered_repeated_or_out_of_order()
    {
        var written = Write(400);
        var n = 0;
        Gen.Select(Gen.Int[0, 1], Gen.Int[0, (int)JournalUnderTest.Small.SegmentBytes - 1], Gen.Int[0, 7]).Sample(
            (segment, at, bit) =>
            {
                var copy = _directory.At($"flip-{++n}");
                Snapshot.Take(_directory.At("a"), copy);
                var path = Snapshot.Segments(copy)[segment];
                var offset = at % new FileInfo(path).Length;
                Flip(path, offset, (byte)(1 << bit));
                if (offset < Segment.HeaderLength && offset is < 12 or >= 16)
                {
                    Assert.Contains(path, Assert.Throws<JournalException>(() => new JournalUnderTest(copy)).Message);
                }
                else if (offset >= Segment.HeaderLength)
                {
                    using var started = new JournalUnderTest(copy);
                    var read = started.ReadAll();
                    Assert.Equal(read, started.Unstored);
                    Assert.Equal(written.Where(read.ToHashSet().Contains), read);
                    var isNoticed = started.Journal.SetAside + started.Journal.Gaps > 0;
                    Assert.Equal(read.Count < written.Count, isNoticed);
                }

                Directory.Delete(copy, recursive: true);
            },
            iter: 30,
            threads: 1);
    }

    [Fact]
    public void A_torn_end_of_the_newest_segment_is_normal()
    {
        var written = Write(50);
        var path = Snapshot.Segments(_directory.At("a"))[^1];
        File.Delete(_directory.At("a/journal/ring")); // without it nobody knows how far the flushes went, as after an unlucky power cut
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
            RandomAccess.SetLength(file, RandomAccess.GetLength(file) - 1_000);
        using var started = new JournalUnderTest(_directory.At("a"));
        Assert.Equal(written.Take(49), started.ReadAll());
        Assert.Equal(0, started.Journal.Gaps);
    }

    [Fact]
    public void An_end_that_was_flushed_and_cannot_be_read_is_a_loss_and_said_so()
    {
        var written = Write(50);
        var path = Snapshot.Segments(_directory.At("a"))[^1];
        Flip(path, OffsetOfFrame(path, 40) + 20);
        using var started = new JournalUnderTest(_directory.At("a"));
        Assert.Equal(written.Take(40), started.ReadAll());
        Assert.Equal(1, started.Journal.Gaps);
        started.Append();
        started.Dispose();
        using var again = new JournalUnderTest(_directory.At("a"));
        Assert.Equal(written.Take(40).Concat(started.Appended), again.ReadAll());
    }

    [Fact]
    public async Task A_header_damaged_while_the_journal_runs_is_reported_at_once()
    {
        using var running = new JournalUnderTest(_directory.At("a"));
        running.Append(50, PayloadBytes);
        await running.SyncAsync();
        var path = Snapshot.Segments(_directory.At("a"))[^1];
        Flip(path, OffsetOfFrame(path, 10) + 20);
        Assert.Equal(running.Appended.Take(10), running.ReadAll());
        Assert.Equal(1, running.Journal.Gaps);
        running.Append(400, PayloadBytes);
        await running.SyncAsync();
        var rest = running.ReadAll();
        Assert.NotEmpty(rest);
        Assert.Equal(running.Appended.TakeLast(rest.Count), rest);
        Assert.Equal(1, running.Journal.Gaps);
    }

    public void Dispose() => _directory.Dispose();

    private List<TestEvent> Write(int count)
    {
        using var journal = new JournalUnderTest(_directory.At("a"));
        journal.Append(count, PayloadBytes);
        return journal.Appended;
    }

    private static void Flip(string path, long offset, byte mask = 1)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var one = new byte[1];
        RandomAccess.Read(file, one, offset);
        one[0] ^= mask;
        RandomAccess.Write(file, one, offset);
    }

    private static long OffsetOfFrame(string path, int index)
    {
        var bytes = Bytes(path);
        var offset = Segment.HeaderLength;
        for (; index > 0; index--) offset += Frame.PeekLength(bytes.AsSpan(offset));
        return offset;
    }

    private static int FramesIn(string path)
    {
        var bytes = Bytes(path);
        var (offset, frames) = (Segment.HeaderLength, 0);
        for (; offset < bytes.Length && BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset)) != 0; frames++)
            offset += Frame.PeekLength(bytes.AsSpan(offset));
        return frames;
    }

    private static byte[] Bytes(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[RandomAccess.GetLength(file)];
        RandomAccess.Read(file, bytes, 0);
        return bytes;
    }
}
