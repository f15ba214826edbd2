using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>Kill and start again: what was appended is there, once, in order, and nothing else.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(5_000)] // twice round the ring, several segments
    public void What_was_appended_before_a_kill_is_recovered(int count)
    {
        using var killed = new JournalUnderTest(_directory.At("a"));
        for (var i = 0; i < count; i++) killed.Append(i % 700);
        Snapshot.Take(_directory.At("a"), _directory.At("b"));
        using var started = new JournalUnderTest(_directory.At("b"));
        Assert.Equal(killed.Appended, started.Unstored);
        Assert.Equal(killed.Appended, started.ReadAll());
        Assert.Equal((count, 0L, 0L), (started.Recovered.Events, started.Journal.Gaps, started.Journal.SetAside));
    }

    [Fact]
    public void A_stopped_journal_is_read_again_from_its_segments()
    {
        var stopped = new JournalUnderTest(_directory.At("a"));
        stopped.Append(3_000, 500);
        stopped.Dispose();
        using var started = new JournalUnderTest(_directory.At("a"));
        Assert.Equal(stopped.Appended, started.ReadAll());
        Assert.Equal(0, started.Journal.Gaps);
    }

    [Fact]
    public void Kills_and_starts_in_a_chain_lose_and_repeat_nothing()
    {
        var expected = new List<TestEvent>();
        var last = new JournalUnderTest(_directory.At("0"));
        for (var i = 1; i <= 12; i++)
        {
            last.Append(i % 4 == 0 ? 0 : 50 * i, 400);
            expected.AddRange(last.Appended);
            Snapshot.Take(_directory.At($"{i - 1}"), _directory.At($"{i}"));
            last.Dispose();
            last = new JournalUnderTest(_directory.At($"{i}"));
            Assert.Equal(expected, last.Unstored);
        }

        Assert.Equal(expected, last.ReadAll());
        Assert.Equal(0, last.Journal.Gaps);
        last.Dispose();
    }

    [Fact]
    public void Replaying_twice_gives_the_same()
    {
        using (var killed = new JournalUnderTest(_directory.At("a")))
        {
            killed.Append(2_000, 300);
            Snapshot.Take(_directory.At("a"), _directory.At("b"));
        }

        using (var first = new JournalUnderTest(_directory.At("b")))
        {
            Snapshot.Take(_directory.At("b"), _directory.At("c"));
            using var second = new JournalUnderTest(_directory.At("c"));
            Assert.Equal(first.Unstored, second.Unstored);
            Assert.Equal(first.ReadAll(), second.ReadAll());
        }
    }

    [Fact]
    public async Task Behind_a_checkpoint_only_the_rest_is_read()
    {
        using var killed = new JournalUnderTest(_directory.At("a"));
        killed.Append(2_500, 400);
        await killed.SyncAsync();
        killed.ReadAll();
        var checkpoint = killed.ReadThrough;
        killed.Append(700, 400);
        Snapshot.Take(_directory.At("a"), _directory.At("b"));
        using var started = new JournalUnderTest(_directory.At("b"), checkpoint);
        Assert.Equal(killed.Appended.Skip(2_500), started.Unstored);
        Assert.Equal(killed.Appended.Skip(2_500), started.ReadAll());
        Assert.Equal(0, started.Journal.Gaps);
    }

    [Fact]
    public void A_start_that_dies_after_moving_the_ring_does_not_move_it_again()
    {
        using var killed = new JournalUnderTest(_directory.At("a"), options: JournalUnderTest.Lazy);
        killed.Append(100, 400);
        Snapshot.Take(_directory.At("a"), _directory.At("b"));
        Directory.CreateDirectory(_directory.At("b/journal/ring.new")); // the next ring cannot be made
        for (var i = 0; i < 3; i++)
        {
            Assert.ThrowsAny<Exception>(() => new JournalUnderTest(_directory.At("b")));
            Assert.Equal(2, Snapshot.Segments(_directory.At("b")).Length);
        }

        Directory.Delete(_directory.At("b/journal/ring.new"));
        using var started = new JournalUnderTest(_directory.At("b"));
        Assert.Equal(killed.Appended, started.ReadAll());
    }

    [Fact]
    public async Task A_kill_at_any_moment_under_load_loses_nothing_that_was_appended()
    {
        using var running = new JournalUnderTest(_directory.At("run"));
        var stop = false;
        var count = 0;
        var appenders = Enumerable.Range(0, 3).Select(thread => Task.Run(() =>
        {
            for (var i = thread; !Volatile.Read(ref stop); i++)
            {
                lock (running)
                {
                    running.Append(i % 2_000);
                    Volatile.Write(ref count, running.Appended.Count);
                }
            }
        })).ToArray();
        for (var i = 0; i < 8; i++)
        {
            var next = Volatile.Read(ref count) + Random.Shared.Next(1_000);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref count) > next, TimeSpan.FromSeconds(30)));
            var before = Volatile.Read(ref count);
            Snapshot.Take(_directory.At("run"), _directory.At($"{i}"));
            lock (running) Check(running.Appended, before, _directory.At($"{i}"));
        }

        Volatile.Write(ref stop, true);
        await Task.WhenAll(appenders);

        static void Check(List<TestEvent> appended, int before, string copy)
        {
            using var started = new JournalUnderTest(copy);
            var recovered = started.ReadAll();
            Assert.Equal(appended.Take(before), recovered.Take(before));
            var ids = recovered.Select(item => item.Id).ToHashSet();
            Assert.Equal(appended.Where(item => ids.Contains(item.Id)), recovered); // what came during the copy: as it was, in order
        }
    }

    [Fact]
    public async Task Sequences_are_never_used_twice()
    {
        var used = new HashSet<long>();
        for (var i = 0; i < 4; i++)
        {
            using var started = new JournalUnderTest(_directory.At("a"));
            started.Append(10, 100);
            await started.SyncAsync();
            var batch = new JournalBatch();
            while (started.Journal.TryRead(batch))
            {
                for (var n = 1; n <= batch.Count; n++) used.Add(batch.CheckpointBehind(n).Sequence);
            }
        }

        Assert.Equal(40, used.Count);
        Assert.True(used.Order().Chunk(10).All(chunk => chunk[9] - chunk[0] == 9));
        Assert.Equal(3 * JournalRecovery.SequenceJump, used.Max() - used.Min() - 9 - (3 * 9));
    }

    public void Dispose() => _directory.Dispose();
}
