using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>The figures of an overload follow from the answers.</summary>
public sealed class OverloadTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Refusals_have_latencies_of_their_own()
    {
        var timeline = new AnswerTimeline();
        for (var i = 0; i < 100; i++) timeline.Note(202, 0, 900 * Millisecond);
        for (var i = 0; i < 50; i++) timeline.Note(503, 0, 4 * Millisecond);
        for (var i = 0; i < 49; i++) timeline.Note(429, 0, 8 * Millisecond);

        Assert.Equal(99, timeline.Refused);
        Assert.Equal(4, timeline.RefusalMilliseconds(50), tolerance: 0.1);
        Assert.Equal(8, timeline.RefusalMilliseconds(99), tolerance: 0.1);
    }

    [Fact]
    public void Calm_begins_with_the_first_whole_second_of_normal_windows()
    {
        var timeline = new AnswerTimeline();
        int[] latencies = [50, 5, 5, 50, 5, 5, 5, 5, 50]; // one a window of 250 ms
        for (var window = 0; window < latencies.Length; window++) timeline.Note(
            202, window * 250 * Millisecond, latencies[window] * Millisecond);

        Assert.Equal(TimeSpan.FromSeconds(1), timeline.CalmAfter(10));
        Assert.Equal(TimeSpan.Zero, timeline.CalmAfter(60));
        Assert.Null(timeline.CalmAfter(1));
    }

    [Fact]
    public void A_window_without_answers_is_not_calm()
    {
        var timeline = new AnswerTimeline();
        foreach (var window in (int[])[0, 1, 2, 4, 5, 6]) timeline.Note(202, window * 250 * Millisecond, Millisecond);

        Assert.Null(timeline.CalmAfter(10));
    }

    [Theory]
    [InlineData(900, 5.0, true)]
    [InlineData(899, 5.0, false)]
    [InlineData(1300, 5.0, false)]
    [InlineData(900, 5.1, false)]
    [InlineData(900, null, false)]
    public void Both_bars_must_be_met(double goodput, double? calm, bool passed)
    {
        var after = calm is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;

        Assert.Equal(passed, new OverloadFigures(1000, 1, 2000, goodput, new AnswerTimeline(), after, []).Passed);
    }

    [Fact]
    public async Task The_phases_of_a_scripted_server_add_up()
    {
        await using var server = new StubServer(request => request.Index % 4 == 3 ? StubServer.Answer(503, "{}") : StubServer.Accepted(Id));
        var ledger = new Ledger();
        var source = new EventSource(EventTemplates.Generate(100, 1), DedupMode.None, 1, "overload");
        var load = new LoadSettings { Server = server.Url, Source = source, Connections = 2 };
        var half = TimeSpan.FromSeconds(0.5);
        var settings = new OverloadSettings { Measure = half, Overload = half, After = half, Crowd = 8 };

        var figures = await new OverloadRun(load, settings, ledger, (run, stop) => run.RunAsync(stop)).RunAsync(CancellationToken.None);

        var (capacity, over) = (figures.Phases[1].Result, figures.Phases[3].Result);
        Assert.Equal(capacity.Accepted / 0.5, figures.Capacity);
        Assert.Equal(2 * figures.Capacity, figures.Offered);
        Assert.Equal(over.Accepted / 0.5, figures.Goodput);
        Assert.Equal(over.Statuses[503], figures.Timeline.Refused);
        Assert.True(figures.Timeline.Refused > 0);
        Assert.Equal(figures.Phases.Sum(phase => phase.Result.Sent), ledger.Count);
        Assert.Equal(figures.Phases.Sum(phase => phase.Result.Accepted), ledger.Entries.LongCount(entry => entry.Status == 202));
    }
}
