using CsCheck;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Tests.Unit.Journal;

public sealed class RingTests : IDisposable
{
    private const ulong Secret = 99;
    private const long Capacity = 64 << 10;
    private readonly TempDirectory _directory = new();

    [Fact]
    public void A_full_ring_takes_no_more_until_something_is_released()
    {
        using var ring = Ring.Create(SystemDisk.Instance, _directory.At("ring"), Capacity, 0);
        var sequence = 0L;
        while (TryAppend(ring, sequence + 1, 1_000)) sequence++;
        Assert.InRange(ring.Used, Capacity - 1_200, Capacity);
        Assert.False(TryAppend(ring, sequence + 1, 1_000));
        var position = 0L;
        var run = ring.NextRun(ref position, 3_000, long.MaxValue);
        Assert.Equal(2, run.Count);
        ring.Release(position + run.Length, run.LastSequence);
        Assert.True(TryAppend(ring, ++sequence, 1_000));
        Assert.True(TryAppend(ring, ++sequence, 600));
    }

    [Fact]
    public void A_frame_that_does_not_fit_at_the_end_of_a_lap_stands_at_the_start_of_the_next()
    {
        using var ring = Ring.Create(SystemDisk.Instance, _directory.At("ring"), Capacity, 0);
        var read = 0L;
        var last = 0L;
        Gen.Int[0, 20_000].Array[300].Sample(
            sizes =>
            {
                foreach (var size in sizes)
                {
                    Assert.True(TryAppend(ring, last + 1, size)); // the ring is empty: half of it always has room
                    last++;
                    var run = ring.NextRun(ref read, long.MaxValue, long.MaxValue);
                    Assert.Equal((1, last), (run.Count, run.LastSequence));
                    read += run.Length;
                    ring.Release(read, last);
                    Assert.Equal(0, ring.Used);
                }
            },
            iter: 5,
            threads: 1);
        Assert.True(read > 10 * Capacity);
    }

    [Fact]
    public void Every_frame_behind_any_mark_comes_back_once_and_in_order() =>
        Gen.Select(Gen.Int[0, 12_000].Array[1, 120], Gen.Int[0, int.MaxValue]).Sample(
            (sizes, random) =>
            {
                using var directory = new TempDirectory();
                var expected = Fill(directory.At("ring"), sizes, new Random(random));
                using var recovered = Ring.OpenForRecovery(SystemDisk.Instance, directory.At("ring"))!;
                var sequences = recovered.Recover(Secret).Select(bytes => Frame.PeekSequence(bytes)).ToList();
                Assert.Equal(expected, sequences);
            },
            iter: 80,
            threads: 1);

    [Fact]
    public void A_frame_that_was_not_finished_is_not_there()
    {
        using (var ring = Ring.Create(SystemDisk.Instance, _directory.At("ring"), Capacity, 0))
        {
            Assert.True(TryAppend(ring, 1, 500));
            Assert.True(ring.TryReserve(1_000, out var frame));
            frame[..900].Fill((byte)'x'); // killed while it was copied
        }

        using var recovered = Ring.OpenForRecovery(SystemDisk.Instance, _directory.At("ring"))!;
        Assert.Equal([1L], recovered.Recover(Secret).Select(bytes => Frame.PeekSequence(bytes)));
    }

    [Fact]
    public void No_ring_is_no_error_and_a_damaged_one_is()
    {
        Assert.Null(Ring.OpenForRecovery(SystemDisk.Instance, _directory.At("none")));
        Ring.Create(SystemDisk.Instance, _directory.At("ring"), Capacity, 0).Dispose();
        var good = File.ReadAllBytes(_directory.At("ring"));
        foreach (var (offset, value) in new[] { (0, (byte)0), (8, (byte)2), (17, (byte)0xFF), (64, (byte)1), (71, (byte)0x80) })
        {
            var bytes = good.ToArray();
            bytes[offset] = value;
            File.WriteAllBytes(_directory.At("damaged"), bytes);
            var error = Assert.Throws<JournalException>(() => Ring.OpenForRecovery(SystemDisk.Instance, _directory.At("damaged")));
            Assert.Contains(_directory.At("damaged"), error.Message);
        }

        File.WriteAllBytes(_directory.At("damaged"), []);
        Assert.Throws<JournalException>(() => Ring.OpenForRecovery(SystemDisk.Instance, _directory.At("damaged")));
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>Appends and releases at random; returns the sequences behind the last mark.</summary>
    private static List<long> Fill(string path, int[] sizes, Random random)
    {
        using var ring = Ring.Create(SystemDisk.Instance, path, Capacity, 0);
        var (last, read, released) = (0L, 0L, 0L);
        foreach (var size in sizes)
        {
            while (!TryAppend(ring, last + 1, size)) Release();
            last++;
            if (random.Next(4) == 0) Release();
        }

        return [.. Enumerable.Range(1, (int)last).Select(i => (long)i).Where(i => i > released)];

        void Release()
        {
            var run = ring.NextRun(ref read, Capacity, random.Next(1, 20_000));
            read += run.Length;
            if (run.Count > 0) released = run.LastSequence;
            ring.Release(read, released);
        }
    }

    private static bool TryAppend(Ring ring, long sequence, int payloadBytes)
    {
        var item = TestEvent.Numbered((int)sequence, new EventId((ulong)sequence, 1), payloadBytes).ToJournaled();
        var length = Frame.LengthOf(item);
        if (!ring.TryReserve(length, out var frame)) return false;
        Frame.Write(frame, item, sequence, Secret);
        ring.Publish();
        return true;
    }
}
