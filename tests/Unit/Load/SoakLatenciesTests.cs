using System.Text.Json;
using ZapierTriggers.Load.Core.Soak;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>Which answers count where in a run of 100 s with 5 s to warm up, and what a sample tells.</summary>
public sealed class SoakLatenciesTests
{
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;
    private readonly SoakLatencies _latencies = new(TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(5));

    [Fact]
    public void The_warm_up_counts_in_no_quarter_but_in_its_line()
    {
        _latencies.Note(202, 5 * Second - 1, 900 * Millisecond);
        Assert.Equal(0, _latencies.P99Of(0));

        _latencies.Note(202, 5 * Second, 2 * Millisecond);
        Assert.Equal(2, _latencies.P99Of(0), tolerance: 0.01);
        Assert.Equal(900, _latencies.TakeRecent().P99, tolerance: 1);
    }

    [Fact]
    public void Each_quarter_has_a_tail_of_its_own()
    {
        foreach (var (seconds, milliseconds) in ((int, int)[])[(24, 1), (25, 2), (49, 2), (50, 3), (74, 3), (75, 4), (99, 4)])
            _latencies.Note(202, seconds * Second, milliseconds * Millisecond);

        for (var quarter = 0; quarter < 4; quarter++) Assert.Equal(quarter + 1, _latencies.P99Of(quarter), tolerance: 0.01);
    }

    [Fact]
    public void A_quarters_tail_is_its_99th_percentile()
    {
        for (var number = 1; number <= 100; number++) _latencies.Note(202, 10 * Second, number * Millisecond);

        Assert.Equal(99, _latencies.P99Of(0), tolerance: 0.1);
    }

    [Fact]
    public void Answers_after_the_end_belong_to_the_last_quarter()
    {
        _latencies.Note(202, 101 * Second, 7 * Millisecond);

        Assert.Equal(7, _latencies.P99Of(3), tolerance: 0.01);
    }

    [Fact]
    public void Only_events_taken_and_duplicates_count()
    {
        foreach (var status in (int[])[0, 400, 429, 500, 503]) _latencies.Note(status, 10 * Second, 900 * Millisecond);
        Assert.Equal((0.0, 0.0), _latencies.TakeRecent());
        Assert.Equal(0, _latencies.P99Of(0));

        _latencies.Note(409, 10 * Second, 3 * Millisecond);
        Assert.Equal(3, _latencies.P99Of(0), tolerance: 0.01);
    }

    [Fact]
    public void A_line_has_the_latencies_since_the_line_before()
    {
        _latencies.Note(202, 10 * Second, 50 * Millisecond);
        _latencies.TakeRecent();
        _latencies.Note(202, 11 * Second, 1 * Millisecond);
        _latencies.Note(202, 11 * Second, 3 * Millisecond);

        var (middle, tail) = _latencies.TakeRecent();
        Assert.Equal(1, middle, tolerance: 0.01);
        Assert.Equal(3, tail, tolerance: 0.01);
    }

    [Fact]
    public void A_sample_has_the_servers_figures_and_null_for_what_it_does_not_tell()
    {
        var bare = new SoakSample(12.34567, 1000, 81.26, 1.5, 9.5, null, null, null, null, null, Delivered: 990, OwnBytes: 4096);
        var figures = new Dictionary<string, double>
        {
            ["dotnet_process_memory_working_set_bytes"] = 1e8,
            ["zapier_journal_backlog_events"] = 17,
        };

        using var json = JsonDocument.Parse(SoakSample.With(figures, serverId: null, bare).Json());
        Assert.Equal(
            ("sample", 12.346, 81.3, 1e8, 17.0),
            (json.RootElement.GetProperty("kind").GetString(), Number("seconds"), Number("rate"), Number("rss_bytes"), Number("backlog")));
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("heap_bytes").ValueKind);
        Assert.Equal(bare, SoakSample.With(figures: null, serverId: null, bare));

        double Number(string name) => json.RootElement.GetProperty(name).GetDouble();
    }
}
