using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>A server's own figures as the load generator reads them.</summary>
public sealed class LoadFiguresTests
{
    [Fact]
    public void A_slope_is_that_of_the_line_of_least_squares()
    {
        Assert.Equal(3, LinearFit.Slope([(0, 1), (1, 4), (2, 7)])!.Value, tolerance: 1e-12);
        Assert.Equal(-2, LinearFit.Slope([(0, 5), (2, 1)])!.Value, tolerance: 1e-12);
        Assert.Equal(0.8, LinearFit.Slope([(0, 0), (1, 2), (2, 1), (3, 3)])!.Value, tolerance: 1e-12);
        Assert.Equal(0, LinearFit.Slope([(0, 7), (1, 7), (2, 7)])!.Value, tolerance: 1e-12);
    }

    [Fact]
    public void There_is_no_slope_without_two_different_times()
    {
        Assert.Null(LinearFit.Slope([]));
        Assert.Null(LinearFit.Slope([(1, 1)]));
        Assert.Null(LinearFit.Slope([(1, 1), (1, 5)]));
    }

    [Fact]
    public void A_slopes_interval_is_students()
    {
        // Residuals -0.3, 0.9, -0.9, 0.3 about a slope of 0.8: standard error sqrt(1.8 / 2 / 5), t of 2 degrees of freedom (the
        // expansion's) 4.
        var (slope, margin) = LinearFit.SlopeWithMargin([(0, 0), (1, 2), (2, 1), (3, 3)])!.Value;

        Assert.Equal(0.8, slope, tolerance: 1e-12);
        Assert.InRange(margin / Math.Sqrt(1.8 / 2 / 5), 3.7, 4.4);
        Assert.Equal(0, LinearFit.SlopeWithMargin([(0, 1), (1, 2), (2, 3)])!.Value.Margin, tolerance: 1e-9);
        Assert.Null(LinearFit.SlopeWithMargin([(0, 1), (1, 2)]));
    }

    [Fact]
    public void Figures_are_summed_over_their_labels()
    {
        const string Text = """
            # HELP http_requests_total Requests.
            # TYPE http_requests_total counter
            http_requests_total{code="200"} 1000 1395066363000
            http_requests_total{code="500",path="a } \"b\" {"} 3
            plain 1.5e3
            empty{} 2
            infinite +Inf

            no_number{a="b"}
            {}
            broken{a="b 7
            """;
        var figures = PrometheusText.Parse(Text);
        Assert.Equal(1003, figures["http_requests_total"]);
        Assert.Equal(1500, figures["plain"]);
        Assert.Equal(2, figures["empty"]);
        Assert.False(figures.ContainsKey("no_number") || figures.ContainsKey("broken"));
    }

    [Fact]
    public async Task The_figures_that_a_server_exports_are_found()
    {
        await using var server = new StubServer(request => request.Head.StartsWith("GET /metrics", StringComparison.Ordinal)
            ? StubServer.Answer(200, "dotnet_gc_heap_total_allocated_bytes_total{otel_scope_name=\"System.Runtime\"} 4096\n")
            : StubServer.Answer(503, "{\"status\":\"not_ready\",\"figures\":{\"zapier_journal_backlog_events\":17}}"));
        using var client = new HttpClient { BaseAddress = server.Url };
        var probe = new ServerProbe(client);
        Assert.Equal(new ProcessFigures(4096, null), await probe.ReadProcessAsync(TestContext.Current.CancellationToken));
        Assert.Equal(17, await probe.ReadBacklogAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(404, "{}")]
    [InlineData(200, "{\"status\":\"ready\"}")]
    [InlineData(200, "hello")]
    [InlineData(200, "[]")]
    public async Task A_server_without_figures_has_none(int status, string body)
    {
        await using var server = new StubServer(_ => StubServer.Answer(status, body));
        using var client = new HttpClient { BaseAddress = server.Url };
        var probe = new ServerProbe(client);
        Assert.Null(await probe.ReadBacklogAsync(TestContext.Current.CancellationToken));
        Assert.Equal(default, await probe.ReadProcessAsync(TestContext.Current.CancellationToken));
    }
}
