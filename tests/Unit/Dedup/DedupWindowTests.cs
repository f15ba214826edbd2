using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Dedup;

public sealed class DedupWindowTests
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void An_id_is_found_for_exactly_24_hours()
    {
        var test = new WindowUnderTest(1_000);
        var first = test.Publish(1);
        Assert.Equal(first, test.Find(1));
        Assert.Null(test.Find(2));
        test.Clock.Advance(Day - Millisecond);
        Assert.Equal(first, test.Find(1));
        test.Clock.Advance(Millisecond);
        Assert.Null(test.Find(1));
        var second = test.Publish(1);
        Assert.Equal(second, test.Find(1));
    }

    [Fact]
    public async Task An_expired_entry_does_not_hide_a_live_one_in_another_generation()
    {
        var test = new WindowUnderTest(64 * 4); // 4 a generation
        test.Preload(1, WindowUnderTest.Start - Day);
        test.Window.ExtendCoverage(0);
        for (var key = 1; key < 40; key++) test.Publish(key);
        await test.Window.Maintenance;
        for (var key = 1; key < 40; key++) test.Check(key);
        Assert.Equal(test.Model[1], test.Find(1));
    }

    [Fact]
    public async Task Fifty_thousand_ids_in_a_window_of_a_thousand_leave_the_newest_and_an_honest_coverage()
    {
        var test = new WindowUnderTest(1_000);
        for (var key = 0; key < 50_000; key++)
        {
            test.Clock.Advance(Millisecond);
            test.Publish(key);
            if (key % 100 != 0) continue;
            await StoreAndMaintain(test);
            for (var back = 0; back < 2_000; back += 13) test.Check(Math.Max(0, key - back));
        }

        await StoreAndMaintain(test);
        Assert.InRange(test.Window.Count, 700, 1_000);
        Assert.InRange(test.Now - test.Window.CoveredSinceMs, 700, 1_000);
        Assert.True(test.Window.EvictionVersion >= 49_000 / 250);
    }

    [Fact]
    public async Task Nothing_is_evicted_before_it_is_stored()
    {
        var test = new WindowUnderTest(1_000);
        for (var key = 0; key < 5_000; key++) test.Publish(key);
        await test.Window.Maintenance;
        Assert.Equal((5_000, 0L), (test.Window.Count, test.Window.EvictionVersion));
        Assert.All(Enumerable.Range(0, 5_000), key => Assert.Equal(test.Model[key], test.Find(key)));

        test.Store(test.Model[2_500].Id.High);
        test.Window.Maintain();
        await test.Window.Maintenance;
        Assert.InRange(test.Window.Count, 2_499, 2_499 + 250);
        Assert.All(Enumerable.Range(2_501, 2_499), key => Assert.Equal(test.Model[key], test.Find(key)));
    }

    [Fact]
    public async Task Expired_generations_are_evicted_without_losing_coverage()
    {
        var test = new WindowUnderTest(10_000);
        for (var key = 0; key < 1_000; key++) test.Publish(key);
        test.Store(test.Last.High);
        test.Clock.Advance(Day - Millisecond);
        test.Window.Maintain();
        await test.Window.Maintenance;
        Assert.Equal(1_000, test.Window.Count);

        test.Clock.Advance(Millisecond);
        test.Window.Maintain();
        await test.Window.Maintenance;
        Assert.InRange(test.Window.Count, 0, 10_000 / 64);
        Assert.True(test.IsNewFor(long.MinValue));
        Assert.InRange(test.Window.CoveredSinceMs, 0, test.Now - (long)Day.TotalMilliseconds + 1); // behind what is a day old
    }

    [Fact]
    public void A_miss_is_proof_for_organizations_made_in_the_covered_time_and_for_all_after_24_hours()
    {
        var test = new WindowUnderTest(1_000);
        var started = test.Window.CoveredSinceMs;
        Assert.True(test.IsNewFor(started));
        Assert.False(test.IsNewFor(started - 1));
        test.Clock.Advance(Day - (2 * Millisecond));
        Assert.False(test.IsNewFor(started - 1));
        test.Clock.Advance(Millisecond);
        Assert.True(test.IsNewFor(started - 1)); // what was accepted before the start is 24 h old now, or more
    }

    [Fact]
    public async Task An_evicted_id_is_never_taken_for_new_and_hardly_any_new_one_for_evicted()
    {
        var test = new WindowUnderTest(1_000);
        for (var key = 0; key < 50_000; key++)
        {
            test.Clock.Advance(Millisecond);
            test.Publish(key);
            if (key % 100 == 0) await StoreAndMaintain(test);
        }

        await StoreAndMaintain(test);
        var start = WindowUnderTest.Start.ToUnixTimeMilliseconds();
        Assert.Equal(start, test.Window.KnownSinceMs);
        Assert.True(test.Window.CoveredSinceMs > start + 49_000);
        for (var key = 0; key < 50_000; key++) test.Check(key);
        Assert.InRange(Enumerable.Range(100_000, 10_000).Count(key => !test.IsNewFor(start, key)), 0, 3_000); // a hundred small filters
        Assert.False(test.IsNewFor(start - 1)); // what it had before the start, nobody here knows
    }

    [Fact]
    public async Task Past_the_bound_of_the_filters_the_oldest_ids_are_forgotten_and_known_to_be()
    {
        const int BytesOfOne = 1_024; // 500 keys of 16 bits, in blocks of 32 bytes
        var test = new WindowUnderTest(1_000, filterBytes: 4 * BytesOfOne);
        for (var key = 0; key < 10_000; key++)
        {
            test.Clock.Advance(Millisecond);
            test.Publish(key);
            if (key % 100 == 0) await StoreAndMaintain(test);
        }

        await StoreAndMaintain(test);
        Assert.InRange(test.Now - test.Window.KnownSinceMs, 2_250, 3_000); // memory and four filters, one of them perhaps just begun
        for (var key = 0; key < 10_000; key++) test.Check(key);
        Assert.False(test.IsNewFor(test.Window.KnownSinceMs - 1));
        Assert.InRange(Enumerable.Range(100_000, 1_000).Count(key => !test.IsNewFor(test.Window.KnownSinceMs, key)), 0, 50);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_023)]
    public async Task Without_room_for_a_filter_only_what_is_in_memory_is_known(int bytes)
    {
        var test = new WindowUnderTest(1_000, bytes);
        for (var key = 0; key < 3_000; key++)
        {
            test.Clock.Advance(Millisecond);
            test.Publish(key);
        }

        await StoreAndMaintain(test);
        Assert.Equal(test.Window.CoveredSinceMs, test.Window.KnownSinceMs);
        for (var key = 0; key < 3_000; key++) test.Check(key);
    }

    [Fact]
    public async Task Filters_of_expired_ids_go_and_the_coverage_stays()
    {
        var test = new WindowUnderTest(1_000);
        for (var key = 0; key < 3_000; key++) test.Publish(key);
        await StoreAndMaintain(test);
        var before = test.Window.Bytes;
        Assert.False(test.IsNewFor(long.MinValue));
        for (var day = 1; day <= 10; day++)
        {
            test.Clock.Advance(Day);
            for (var key = day * 3_000; key < (day + 1) * 3_000; key++) test.Publish(key);
            await StoreAndMaintain(test);
        }

        Assert.InRange(test.Window.Bytes, before - 8_000, before + 8_000); // all filters would be 40,000 more
        Assert.True(test.IsNewFor(long.MinValue));
        Assert.False(test.Window.IsMissProof(WindowUnderTest.Key(27_000), long.MinValue, test.Now - 2)); // by a clock that was set back
        for (var key = 30_000; key < 33_000; key++) test.Check(key);
    }

    [Fact]
    public async Task Preloaded_ids_extend_the_coverage_backwards()
    {
        var test = new WindowUnderTest(10_000);
        var since = WindowUnderTest.Start - TimeSpan.FromHours(2);
        for (var key = 0; key < 1_000; key++)
        {
            test.Preload(key, since + (key * TimeSpan.FromSeconds(7)));
            test.Publish(key + 5_000);
            test.Check(key);
        }

        Assert.Equal(WindowUnderTest.Start.ToUnixTimeMilliseconds(), test.Window.CoveredSinceMs);
        test.Window.ExtendCoverage(since.ToUnixTimeMilliseconds());
        test.Window.ExtendCoverage(test.Now);
        Assert.Equal(since.ToUnixTimeMilliseconds(), test.Window.CoveredSinceMs);
        await test.Window.Maintenance;
        Assert.All(test.Model, pair => Assert.Equal(pair.Value, test.Find(pair.Key)));
        Assert.Equal(2_000, test.Window.Count);
    }

    [Fact]
    public async Task More_preloaded_ids_than_fit_do_not_extend_the_coverage_to_what_was_evicted()
    {
        var test = new WindowUnderTest(1_000);
        test.Store(ulong.MaxValue);
        for (var key = 0; key < 5_000; key++) test.Preload(key, WindowUnderTest.Start - ((key + 1) * TimeSpan.FromSeconds(10)));
        test.Window.ExtendCoverage(0);
        await test.Window.Maintenance;
        Assert.InRange(test.Window.Count, 700, 1_000);
        Assert.InRange(test.Now - test.Window.CoveredSinceMs, 7_000_000, 10_010_000);
        for (var key = 0; key < 5_000; key++) test.Check(key);
    }

    [Fact]
    public void Keys_differ_by_id_organization_and_secret()
    {
        HashSet<DedupKey> keys = [];
        for (var organization = 1; organization <= 50; organization++)
        {
            for (var id = 0; id < 50; id++) Assert.True(keys.Add(DedupKey.Of([(byte)id], organization, 7)));
        }

        Assert.False(keys.Add(DedupKey.Of([0], 1, 7)));
        Assert.True(keys.Add(DedupKey.Of([0], 1, 8)));
    }

    [Fact]
    public void A_frozen_generation_takes_about_51_bytes_an_entry()
    {
        var entries = Enumerable.Range(1, 100_000)
            .Select(i => KeyValuePair.Create(WindowUnderTest.Key(i), new DedupEntry(new EventId((ulong)i, 1), 0)));
        var frozen = FrozenGeneration.Of([.. entries]);
        Assert.InRange((double)frozen.Bytes / frozen.Count, 51.0, 51.5);
        Assert.All(Enumerable.Range(1, 100_000), i => Assert.True(Finds(i)));
        Assert.All(Enumerable.Range(100_001, 100_000), i => Assert.False(frozen.TryFind(WindowUnderTest.Key(i), out _)));

        bool Finds(int i) => frozen.TryFind(WindowUnderTest.Key(i), out var entry) && entry.Id.High == (ulong)i;
    }

    private static Task StoreAndMaintain(WindowUnderTest test)
    {
        test.Store(test.Last.High);
        test.Window.Maintain();
        return test.Window.Maintenance;
    }
}
