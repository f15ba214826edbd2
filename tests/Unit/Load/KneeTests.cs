using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;
using ZapierTriggers.Load.Core.Knee;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Reporting;
using ZapierTriggers.Load.Core.Verdict;
using ZapierTriggers.Load.Core.Yardstick;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>Latency by load: the figures of a step, where the knee is, what the reports say.</summary>
public sealed partial class KneeTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void A_step_is_summed_up_from_answers_backlog_and_the_servers_own_figures()
    {
        var tally = new Tally { Waited = 1900 * Millisecond };
        for (var i = 0; i < 1000; i++)
        {
            tally.CountSent(0);
            tally.CountAnswer(202, (i + 1) * Millisecond);
        }

        var seen = new StepObservations(
            [(0, 10), (1, 20), (2, 30), (9, 1_000_000)], // The last one is from after the step.
            new ProcessFigures(1_000, 0.5),
            new ProcessFigures(201_000, 0.75),
            TimeSpan.FromMilliseconds(30),
            [TimeSpan.FromMilliseconds(4), TimeSpan.FromMilliseconds(6), TimeSpan.FromMilliseconds(90)]);
        var step = KneeStep.Of(50, 500, TimeSpan.FromSeconds(2), LoadResult.Sum([tally], TimeSpan.FromSeconds(2)), seen);

        Assert.Equal((500, 1000L, 0L), (step.AcceptedRate, step.Accepted, step.Refused));
        Assert.Equal(990, step.P99, tolerance: 1);
        Assert.Equal(999, step.P999, tolerance: 1);
        Assert.Equal(40, step.StoredMean!.Value, tolerance: 1e-9); // 20 events at 500 a second
        Assert.Equal(60, step.StoredHighest!.Value, tolerance: 1e-9);
        Assert.Equal((6, 90), (step.WebhookP50, step.WebhookP99));
        Assert.Equal((30, 200, 250), (step.CpuMicroseconds, step.AllocatedBytes, step.GcPause));
        Assert.Equal(10, step.BacklogSlope!.Value, tolerance: 1e-9);
        Assert.Null(step.VoidReason);
    }

    [Fact]
    public void What_our_watching_costs_is_taken_off()
    {
        var idle = new IdleFigures(ScrapeBytes: 1000, BytesPerSecond: 100, CpuShare: 0.01);
        Assert.Equal(3700, idle.Without(5000.0, TimeSpan.FromSeconds(3)));
        Assert.Equal(0, idle.Without(500.0, TimeSpan.FromSeconds(3)));
        Assert.Equal(TimeSpan.FromMilliseconds(70), idle.Without(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3)));
        Assert.Equal(TimeSpan.Zero, idle.Without(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(3)));
        Assert.Null(idle.Without((double?)null, TimeSpan.FromSeconds(3)));
        Assert.Null(idle.Without((TimeSpan?)null, TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public void What_a_server_does_not_tell_is_unknown()
    {
        var tally = new Tally { Waited = 900 * Millisecond };
        tally.CountAnswer(202, Millisecond);
        var second = TimeSpan.FromSeconds(1);
        var step = KneeStep.Of(10, 1, second, LoadResult.Sum([tally], second), new StepObservations([], default, default, null, null));
        Assert.True(step is { StoredMean: null, WebhookP50: null, CpuMicroseconds: null });
        Assert.True(step is { AllocatedBytes: null, GcPause: null, BacklogSlope: null });
        Assert.Contains("n/a", KneeTable.Line(step));
    }

    [Fact]
    public void The_knee_is_the_highest_step_that_was_held()
    {
        Assert.Equal(30, KneeOf(Step(10), Step(20), Step(30), Step(40) with { P99 = 11 }));
        Assert.Equal(20, KneeOf(Step(10), Step(20), Step(30) with { BacklogSlope = 16 })); // of 300/s offered
        Assert.Equal(10, KneeOf(Step(10), Step(20) with { Refused = 1 }));
        Assert.Equal(20, KneeOf(Step(10), Step(20), Step(30) with { Unsent = 1 }));
        Assert.Equal(20, KneeOf(Step(10) with { P99 = 9 }, Step(20) with { P99 = 44 }, Step(30) with { P99 = 46 })); // 5 times 9
        Assert.Null(KneeOf(Step(10) with { Unanswered = 1 }));
    }

    [Fact]
    public void A_low_step_that_something_else_disturbed_does_not_hide_the_knee() =>
        Assert.Equal(30, KneeOf(Step(10) with { P99 = 85 }, Step(20), Step(30), Step(40) with { P99 = 77 }));

    [Fact]
    public void A_void_step_says_nothing()
    {
        var isVoid = Step(20) with { VoidReason = "the generator was busy", P99 = 500 };
        var figures = new KneeFigures(100, [Step(10), isVoid, Step(30)], null);
        Assert.Equal(30, figures.Knee?.Percent);
        Assert.Equal(0, figures.ExitCode);
        var none = new KneeFigures(100, [isVoid], null);
        Assert.Null(none.Knee);
        Assert.Equal(2, none.ExitCode);
    }

    [Fact]
    public void A_broken_promise_fails_the_run()
    {
        var audit = new AuditReport();
        audit.Add(new Offender(Violation.Lost, 1, default));
        Assert.Equal(2, new KneeFigures(100, [Step(10)], audit).ExitCode);
        Assert.Equal(0, new KneeFigures(100, [Step(10)], new AuditReport()).ExitCode);
    }

    [Fact]
    public void Webhooks_are_joined_to_their_answers_whichever_came_first()
    {
        var times = new WebhookTimes();
        var (a, b) = (Id(1), Id(2));
        times.NoteAccepted(a, 1000);
        Assert.Equal(1, times.Missing);
        times.NoteArrivals([Arrival(b, 500), Arrival(a, 1000 + System.Diagnostics.Stopwatch.Frequency)]);
        Assert.Equal(0, times.Missing);
        Assert.Equal([TimeSpan.FromSeconds(1)], times.Take());

        times.NoteAccepted(b, 700); // Its webhook was there before: it took no time.
        times.NoteArrivals([Arrival(a, 9000)]); // A repeat counts for nothing.
        Assert.Equal([TimeSpan.Zero], times.Take());
        Assert.Equal(3, times.Deliveries.Count);
    }

    [Fact]
    public void The_page_needs_nothing_from_outside_and_is_well_formed()
    {
        var figures = new KneeFigures(1000, [Step(10), Step(20) with { VoidReason = "lag <1 & more>" }, Step(30)], new AuditReport());
        var page = KneePage.Write(figures, ["machine   2 cores <x>"]);
        Assert.DoesNotMatch(OutsideAsset(), page);
        Assert.Contains("prefers-color-scheme:dark", page);
        Assert.Contains("lag &lt;1 &amp; more&gt;", page);
        Assert.Contains("2 cores &lt;x&gt;", page);
        Assert.Contains("verdict   PASS", page);
        var plots = Plot().Matches(page);
        Assert.True(plots.Count >= 4);
        foreach (Match plot in plots)
        {
            var svg = XElement.Parse(plot.Value);
            Assert.All(svg.Descendants("circle"), circle => Assert.InRange(Number(circle, "cx"), 0, 680));
            Assert.All(svg.Descendants("circle"), circle => Assert.InRange(Number(circle, "cy"), 0, 300));
        }

        Assert.Contains("void", page);
    }

    [Fact]
    public void A_plot_without_points_is_none_and_one_of_zeros_has_an_axis()
    {
        Assert.Equal("", SvgPlot.Draw("y", "x", [new PlotSeries("none", [])]));
        Assert.Contains("<circle", SvgPlot.Draw("y", "x", [new PlotSeries("zero", [(0, 0, false)])]));
        Assert.DoesNotContain("NaN", SvgPlot.Draw("y", "x", [new PlotSeries("zero", [(0, 0, false)])], isLogarithmic: true));
        var falling = SvgPlot.Draw("y", "x", [new PlotSeries("falling", [(1, -5, false), (2, 91, false)])]);
        Assert.DoesNotContain("NaN", falling);
        Assert.Contains(">-50</text>", falling);
        Assert.Contains(">0</text>", falling);
        Assert.Contains(">200</text>", falling);
    }

    [Fact]
    public void The_lines_are_json_one_for_the_run_one_a_step_one_for_the_audit()
    {
        var lines = KneeLines.Write(new KneeFigures(1000, [Step(10), Step(20)], new AuditReport()), ["machine"]).TrimEnd('\n').Split('\n');
        var json = lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["run", "step", "step", "audit"], json.Select(line => line.GetProperty("kind").GetString()));
        Assert.Equal(200, json[0].GetProperty("knee_offered").GetDouble());
        Assert.Equal(200, json[2].GetProperty("offered").GetDouble());
        Assert.Equal(JsonValueKind.Null, json[1].GetProperty("webhook_p50").ValueKind);
        Assert.True(json[3].GetProperty("passed").GetBoolean());
    }

    [Fact]
    public async Task All_steps_are_run_and_accounted_for()
    {
        await using var bare = await BareServer.StartAsync(port: 0);
        using var client = new HttpClient { BaseAddress = new Uri(bare.Urls.First()) };
        var ledger = new Ledger();
        var load = new LoadSettings
        {
            Server = client.BaseAddress,
            Source = new EventSource(EventTemplates.Generate(200, 1), DedupMode.None, 1, "knee0001"),
            Connections = 3,
        };
        var settings = new KneeSettings { Capacity = 1000, Percents = [10, 50], Step = TimeSpan.FromSeconds(0.2) };
        var run = new KneeRun(load, settings, new ServerProbe(client), ledger);
        var (capacity, steps) = await run.RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1000, capacity);
        Assert.Equal([20L, 100L], steps.Select(step => step.Accepted));
        Assert.Equal(120, ledger.Count);
    }

    [Fact]
    public async Task A_step_that_begins_before_the_one_before_it_is_stored_is_void()
    {
        const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
        await using var server = new StubServer(request => request.Head.StartsWith("GET /health", StringComparison.Ordinal)
            ? StubServer.Answer(200, "{\"figures\":{\"zapier_journal_backlog_events\":5}}")
            : StubServer.Accepted(Id));
        using var client = new HttpClient { BaseAddress = server.Url };
        var load = new LoadSettings
        {
            Server = server.Url,
            Source = new EventSource(EventTemplates.Generate(200, 1), DedupMode.None, 1, "knee0001"),
            Connections = 1,
        };
        var settings = new KneeSettings
        {
            Capacity = 100,
            Percents = [10, 20],
            Step = TimeSpan.FromSeconds(0.2),
            Settle = TimeSpan.FromMilliseconds(50),
        };
        var run = new KneeRun(load, settings, new ServerProbe(client), ledger: null);
        var (_, steps) = await run.RunAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(steps[1].VoidReason);
        Assert.True(steps[0].BacklogHighest == 5);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(3.9, null)]
    [InlineData(4, 1.0)]
    [InlineData(4.75, 0.25)]
    [InlineData(5, null)]
    [InlineData(14.5, 0.5)]
    public void The_stalling_server_stalls_one_second_in_ten(double seconds, double? left) =>
        Assert.Equal(left, StallingServer.Left(TimeSpan.FromSeconds(seconds))?.TotalSeconds);

    [Fact]
    public void The_self_test_wants_the_open_loop_to_see_the_stall_and_the_closed_one_not_to()
    {
        Assert.True(new StallTest(900, 3).Passed);
        Assert.False(new StallTest(3, 3).Passed);
        Assert.False(new StallTest(900, 900).Passed);
    }

    private static int? KneeOf(params KneeStep[] steps) => new KneeFigures(100, steps, Audit: null).Knee?.Percent;

    private static KneeStep Step(int percent) => new()
    {
        Percent = percent,
        Offered = percent * 10,
        AcceptedRate = percent * 10,
        Accepted = percent * 100,
        Refused = 0,
        Unanswered = 0,
        Unsent = 0,
        P50 = 0.2,
        P90 = 0.4,
        P99 = 1,
        P999 = 2,
        Highest = 3,
        LagP99 = 0.1,
        Busy = 0.2,
        BacklogSlope = 0,
        CpuMicroseconds = 12.5,
    };

    private static EventId Id(int number) => EventId.FromGuid(new Guid($"01890a5d-ac96-774b-bcce-{number:x12}"));

    private static Arrival Arrival(EventId id, long timestamp) =>
        new(new ZapierTriggers.Load.Core.Verdict.Delivery(id, id, 0, Signed: true, 200), timestamp);

    private static double Number(XElement element, string attribute) =>
        double.Parse(element.Attribute(attribute)!.Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("<(?:script|link|img|iframe)|url\\(|@import|https?://", RegexOptions.NonBacktracking)]
    private static partial Regex OutsideAsset();

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.NonBacktracking)]
    private static partial Regex Plot();
}
