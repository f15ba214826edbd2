using ZapierTriggers.Load.Core.Soak;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>What a run that lasted is found to be, from its samples and latencies.</summary>
public sealed class SoakTrendTests
{
    private const double Mebibyte = 1 << 20;
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void Memory_that_only_swings_is_flat()
    {
        var trend = OfMemory(_ => 100, swing: 1);

        Assert.InRange(trend.Slope!.Value, -0.1, 0.1);
        Assert.InRange(trend.Margin, 0.3, 1);
        Assert.True(trend.MayBeFlat);
        Assert.True(trend.IsFlat);
        Assert.Contains("contains zero", trend.SlopeText());
    }

    [Fact]
    public void Memory_that_grows_is_not()
    {
        var trend = OfMemory(hours => 100 + 20 * hours, swing: 1);

        Assert.InRange(trend.Slope!.Value, 19.9, 20.1);
        Assert.False(trend.MayBeFlat);
        Assert.False(trend.IsFlat);
        Assert.StartsWith("+20.", trend.SlopeText());
        Assert.Contains("does not contain zero", trend.SlopeText());
    }

    [Theory]
    [InlineData(4.5, true)]
    [InlineData(5.5, false)]
    [InlineData(-20, true)] // What it gives back is no fault.
    public void Memory_that_surely_grows_by_what_a_heap_moves_by_counts_as_flat(double megabytesAnHour, bool isFlat)
    {
        var trend = OfMemory(hours => 100 + megabytesAnHour * hours, swing: 0.1);

        Assert.False(trend.MayBeFlat);
        Assert.Equal(isFlat, trend.IsFlat);
    }

    [Fact]
    public void Memory_that_swings_too_much_to_tell_is_not_flat()
    {
        var trend = OfMemory(_ => 300, swing: 100);

        Assert.True(trend.MayBeFlat);
        Assert.True(trend.Slope + trend.Margin > SoakTrend.CertainBar);
        Assert.False(trend.IsFlat);
    }

    [Fact]
    public void Memory_that_is_not_known_is_not_flat()
    {
        var samples = Samples(count: 360, _ => null);
        var trend = SoakTrend.Of(samples, new SoakLatencies(Hour, TimeSpan.Zero), Hour);

        Assert.Null(trend.Slope);
        Assert.False(trend.MayBeFlat);
        Assert.False(trend.IsFlat);
        Assert.Equal("memory is not known", trend.SlopeText());
    }

    [Fact]
    public void Memory_of_the_first_quarter_does_not_count() =>
        Assert.InRange(OfMemory(hours => hours < 0.25 ? 400 * hours : 100, swing: 0).Slope!.Value, -0.001, 0.001);

    [Theory]
    [InlineData(100, 500, 100, true)] // Five seconds' events.
    [InlineData(100, 501, 100, false)]
    [InlineData(1000, 1500, 100, true)] // Half as many again as in the beginning.
    [InlineData(1000, 1501, 100, false)]
    public void Deliveries_keep_up_while_what_is_behind_does_not_grow(long first, long last, double rate, bool keepsUp) =>
        Assert.Equal(keepsUp, new SoakTrend(0, 0, 1, 1, first, last, rate).KeepsUp);

    [Fact]
    public void What_is_behind_is_the_most_in_each_quarter()
    {
        SoakSample[] samples =
        [
            Behind(seconds: 10, accepted: 100, behind: 7), Behind(20, 200, 90), Behind(24, 240, 8),
            Behind(25, 250, 200), Behind(50, 500, 300), Behind(74, 740, 400),
            Behind(75, 750, 30), Behind(99, 990, 60), Behind(101, 1010, 40),
        ];
        var trend = SoakTrend.Of(samples, new SoakLatencies(TimeSpan.FromSeconds(100), TimeSpan.Zero), TimeSpan.FromSeconds(100));

        Assert.Equal((90L, 60L), (trend.FirstBehind, trend.LastBehind));
        Assert.Equal(10, trend.Rate, tolerance: 1e-9);
    }

    [Fact]
    public void The_last_sample_may_come_after_the_end()
    {
        var duration = TimeSpan.FromSeconds(100);
        var trend = SoakTrend.Of([Behind(101, 1010, 40)], new SoakLatencies(duration, TimeSpan.Zero), duration);

        Assert.Equal((0L, 40L), (trend.FirstBehind, trend.LastBehind));
    }

    [Fact]
    public void A_run_without_samples_has_no_trend()
    {
        var trend = SoakTrend.Of([], new SoakLatencies(Hour, TimeSpan.Zero), Hour);

        Assert.Null(trend.Slope);
        Assert.Equal((0L, 0L, 0.0), (trend.FirstBehind, trend.LastBehind, trend.Rate));
        Assert.False(trend.IsSteady);
    }

    [Theory]
    [InlineData(10, 12, true)]
    [InlineData(10, 12.1, false)]
    [InlineData(0.1, 1, true)] // Too small to matter.
    [InlineData(0.1, 1.01, false)]
    [InlineData(0, 1, false)] // Without answers in a quarter there is nothing to compare.
    [InlineData(10, 0, false)]
    public void Latency_is_steady_when_the_end_is_like_the_beginning(double first, double last, bool isSteady) =>
        Assert.Equal(isSteady, new SoakTrend(0, 0, first, last, 0, 0, 1).IsSteady);

    [Fact]
    public void The_trend_compares_the_first_quarters_tail_to_the_lasts()
    {
        var latencies = new SoakLatencies(TimeSpan.FromSeconds(100), TimeSpan.Zero);
        latencies.Note(202, 10 * Second, 5 * Millisecond);
        latencies.Note(202, 30 * Second, 70 * Millisecond);
        latencies.Note(202, 60 * Second, 80 * Millisecond);
        latencies.Note(202, 80 * Second, 6 * Millisecond);

        var trend = SoakTrend.Of([], latencies, TimeSpan.FromSeconds(100));

        Assert.Equal(5, trend.FirstP99, tolerance: 0.1);
        Assert.Equal(6, trend.LastP99, tolerance: 0.1);
        Assert.True(trend.IsSteady);
    }

    [Fact]
    public void A_quarter_without_answers_is_not_steady()
    {
        var latencies = new SoakLatencies(TimeSpan.FromSeconds(100), TimeSpan.Zero);
        latencies.Note(202, 10 * Second, 5 * Millisecond);
        latencies.Note(202, 74 * Second, 5 * Millisecond);

        Assert.False(SoakTrend.Of([], latencies, TimeSpan.FromSeconds(100)).IsSteady);
    }

    /// <summary>The trend of an hour, a sample every ten seconds, whose memory in MB swings by so much about a function of hours.</summary>
    private static SoakTrend OfMemory(Func<double, double> megabytes, double swing)
    {
        var samples = Samples(360, number => (megabytes(number / 360.0) + (number % 2 == 0 ? swing : -swing)) * Mebibyte);
        return SoakTrend.Of(samples, new SoakLatencies(Hour, TimeSpan.Zero), Hour);
    }

    private static List<SoakSample> Samples(int count, Func<int, double?> bytes) =>
    [
        .. Enumerable.Range(1, count)
            .Select(number => Behind(number * 10, accepted: number * 10, behind: 0) with { ResidentBytes = bytes(number) }),
    ];

    private static SoakSample Behind(double seconds, long accepted, long behind) =>
        new(seconds, accepted, Rate: 10, P50: 1, P99: 2, null, null, null, null, null, Delivered: accepted - behind, OwnBytes: 0);
}
