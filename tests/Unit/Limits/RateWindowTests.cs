using CsCheck;
using ZapierTriggers.Core.Limits;

namespace ZapierTriggers.Tests.Unit.Limits;

public sealed class RateWindowTests
{
    // What the window may remember of an event: at least 60 s, at most one slot of 5 s more.
    private const long LeastMemory = 60_000;
    private const long MostMemory = 65_000;

    private static readonly Gen<(long Wait, int Count, bool UpTo)[]> Takes =
        Gen.Select(Gen.Frequency((3, Gen.Long[0, 400]), (2, Gen.Long[0, 7_000]), (1, Gen.Long[0, 140_000])), Gen.Int[1, 12], Gen.Bool).Array[1, 200];

    [Fact]
    public void Against_an_exact_log_it_never_lets_through_too_much_and_forgets_in_time() =>
        Gen.Select(Gen.Int[1, 40], Gen.Long[0, 10_000], Takes).Sample((limit, start, takes) =>
        {
            var window = new RateWindow(limit);
            var log = new List<(long At, int Count)>();
            var now = start;
            foreach (var (wait, count, upTo) in takes)
            {
                now += wait;
                var decision = upTo ? window.TakeUpTo(count, now) : window.TryTake(count, now);
                var leastRoom = limit - SumSince(log, now - MostMemory);
                var wanted = upTo ? Math.Min(count, Math.Max(0, leastRoom)) : count <= leastRoom ? count : 0;
                if (decision.Granted < wanted) return false;
                if (!upTo && decision.Granted is not 0 && decision.Granted != count) return false;
                if (decision.Granted > 0) log.Add((now, decision.Granted));
                if (SumSince(log, now - LeastMemory) > limit) return false;
                if (decision.Remaining < 0 || decision.Remaining > limit - SumSince(log, now - LeastMemory)) return false;
            }

            return true;
        });

    [Fact]
    public void Waiting_as_long_as_told_gives_room_again() =>
        Gen.Select(Gen.Int[1, 40], Gen.Long[0, 10_000], Takes).Sample((limit, start, takes) =>
        {
            var window = new RateWindow(limit);
            var now = start;
            foreach (var (wait, _, _) in takes)
            {
                now += wait;
                var decision = window.TryTake(1, now);
                if (decision.Allowed) continue;
                if (decision.ResetSeconds is < 1 or > 65) return false;
                now += decision.ResetSeconds * 1000L;
                if (!window.TryTake(1, now).Allowed) return false;
            }

            return true;
        });

    [Fact]
    public void It_recovers_slot_by_slot()
    {
        var window = new RateWindow(10);
        Assert.True(window.TryTake(6, 0).Allowed);
        Assert.True(window.TryTake(4, 5_000).Allowed);
        Assert.Equal(new RateDecision(0, 10, 0, 6), window.TryTake(1, 59_999));
        Assert.False(window.TryTake(1, 64_999).Allowed);
        Assert.Equal(new RateDecision(6, 10, 0, 5), window.TakeUpTo(9, 65_000));
        Assert.Equal(new RateDecision(4, 10, 0, 60), window.TakeUpTo(9, 70_000));
    }

    [Fact]
    public void A_batch_is_taken_whole_or_not_at_all()
    {
        var window = new RateWindow(10);
        Assert.Equal(7, window.TryTake(7, 1_000).Granted);
        Assert.Equal(new RateDecision(0, 10, 3, 64), window.TryTake(4, 1_000));
        Assert.Equal(3, window.TryTake(3, 1_000).Granted);
    }

    [Fact]
    public void Many_threads_never_get_more_than_the_limit_and_get_all_of_it()
    {
        for (var round = 0; round < 200; round++)
        {
            var window = new RateWindow(1_000);
            Assert.Equal(1_000, InParallel(8, thread => Enumerable.Range(0, 200).Sum(_ => window.TryTake(1, 7_000).Granted)));
        }
    }

    [Fact]
    public void Threads_whose_clocks_cross_slots_never_get_more_than_the_limit_in_any_60_s()
    {
        for (var round = 0; round < 100; round++)
        {
            var window = new RateWindow(500);
            var clock = 0L;

            // 8 x 600 x 11 ms = 52.8 s in all: every take of the round is within one window.
            var granted = InParallel(
                8, thread => Enumerable.Range(0, 600).Sum(_ => window.TryTake(1, Interlocked.Add(ref clock, 11)).Granted));
            Assert.Equal(500, granted);
        }
    }

    [Fact]
    public void Threads_that_run_through_many_windows_stay_within_the_limit_of_each()
    {
        var window = new RateWindow(100);
        var clock = 0L;
        var log = new System.Collections.Concurrent.ConcurrentBag<(long Before, long After)>();
        InParallel(8, thread =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var before = Interlocked.Add(ref clock, 7);
                if (window.TryTake(1, before).Allowed) log.Add((before, Interlocked.Read(ref clock)));
            }

            return 0;
        });

        // A take happened somewhere between its two clock readings: only those certainly inside a window are counted against it.
        var takes = log.OrderBy(take => take.Before).ToList();
        foreach (var (start, _) in takes) Assert.True(
            takes.Count(take => take.Before >= start && take.After <= start + LeastMemory) <= 100);
        Assert.True(takes.Count > 1_000, $"only {takes.Count} takes went through in {clock} ms");
    }

    [Fact]
    public void Without_a_limit_all_is_let_through_and_nothing_is_counted()
    {
        var window = new RateWindow(null);
        Assert.Equal(1_000, window.TryTake(1_000, 0).Granted);
        Assert.False(window.TryTake(1_000, 0).HasLimit);
        Assert.True(window.IsEmpty(0));
    }

    [Fact]
    public void A_changed_limit_counts_what_was_taken_before()
    {
        var window = new RateWindow(10);
        window.TryTake(10, 0);
        window.SetLimit(12);
        Assert.Equal(2, window.TakeUpTo(5, 0).Granted);
        window.SetLimit(3);
        Assert.Equal(new RateDecision(0, 3, 0, 65), window.TryTake(1, 0));
        window.SetLimit(0);
        Assert.False(window.TryTake(1, 200_000).Allowed);
    }

    [Fact]
    public void Taking_allocates_nothing()
    {
        var window = new RateWindow(1_000_000);
        window.TryTake(1, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) window.TryTake(1, i * 1_000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static int SumSince(List<(long At, int Count)> log, long since) =>
        log.Where(entry => entry.At > since).Sum(entry => entry.Count);

    private static int InParallel(int threads, Func<int, int> work)
    {
        var results = new int[threads];
        using var start = new Barrier(threads);
        var all = Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            start.SignalAndWait();
            results[index] = work(index);
        })).ToList();
        all.ForEach(thread => thread.Start());
        all.ForEach(thread => thread.Join());
        return results.Sum();
    }

    [Fact]
    public void Looking_takes_nothing_and_tells_what_is_left()
    {
        var window = new RateWindow(10);
        Assert.Equal(new RateDecision(0, 10, 10, 0), window.Look(1_000));
        window.TryTake(4, 1_000);

        Assert.Equal((10, 6), (window.Look(2_000).Limit, window.Look(2_000).Remaining));
        Assert.Equal(window.Look(2_000), window.Look(2_000));
        Assert.Equal(63, window.Look(2_000).ResetSeconds);
        Assert.Equal(10, window.Look(65_000).Remaining);
        window.SetLimit(3);
        Assert.Equal(0, window.Look(2_000).Remaining);
        window.SetLimit(null);
        Assert.False(window.Look(2_000).HasLimit);
    }
}
