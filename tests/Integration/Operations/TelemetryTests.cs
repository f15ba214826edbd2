using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Operations;

/// <summary>
/// What the server tells those who watch it: <c>/metrics</c>, and OTLP to a collector that is a real server here. Who listens to spans
/// listens to all of the process, so tests that must be without come one after the other with these.
/// </summary>
[Collection(OfSpans)]
public sealed partial class TelemetryTests
{
    /// <summary>Collection of the tests for which it matters whether somebody listens to spans.</summary>
    public const string OfSpans = "spans";

    [Fact]
    public async Task Every_figure_of_alerts_and_board_is_there_once_events_have_passed()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        await using var receiver = await Receiver.StartAsync();
        await DeliverOneAsync(server, receiver);
        var used = Figures().Matches(File.ReadAllText(Deploy("prometheus", "alerts.yml")) + Expressions())
            .Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(used.Count > 25, string.Join(' ', used));

        await Poll.UntilAsync(async () => Missing(await server.Client.GetStringAsync("/metrics"), used).Count == 0, "all figures");
    }

    [Fact]
    public async Task Requests_are_told_apart_by_route_and_never_by_what_is_in_a_path()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        var id = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        Assert.Equal(200, (await tenant.GetAsync($"/api/events/{id}")).Status);
        await tenant.GetAsync($"/api/nothing/{id}");

        await Poll.UntilAsync(async () => (await server.Client.GetStringAsync("/metrics")).Contains("http_route=\"/api/events/{id}\"", StringComparison.Ordinal), "counted");
        var text = await server.Client.GetStringAsync("/metrics");
        Assert.Matches(@"(?m)^http_server_request_duration_seconds_count\{[^}]*http_request_method=""POST"",http_response_status_code=""202"",http_route=""/api/events""\} [1-9]", text); // other servers of this process count, too
        Assert.DoesNotContain(id, text, StringComparison.Ordinal);
        Assert.DoesNotContain((string)(await tenant.GetAsync("/api/keys")).Json["organization_id"]!, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_gets_figures_and_spans_and_the_receiver_joins_the_trace()
    {
        await using var collector = await Receiver.StartAsync();
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, $"OTEL_EXPORTER_OTLP_ENDPOINT={new Uri(collector.Url).GetLeftPart(UriPartial.Authority)}",
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_METRIC_EXPORT_INTERVAL=200");
        await DeliverOneAsync(server, receiver);

        var parent = receiver.Requests.Single().Headers["traceparent"];
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", parent);
        await Poll.UntilAsync(() => Sent("/v1/traces", "webhook try") && Sent("/v1/traces", "store batch"), "spans");
        await Poll.UntilAsync(() => Sent("/v1/metrics", "zapier_events_accepted") && Sent("/v1/metrics", "zapier-triggers"), "figures");

        bool Sent(string path, string text) =>
            collector.Requests.Any(request => request.Path == path && request.Body.Contains(text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("01", true)]
    [InlineData("00", false)] // not sampled: nobody has a span of ours, so the producer's is the parent
    public async Task With_a_collector_the_receiver_joins_the_producers_trace_behind_our_span(string flags, bool hasSpan)
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        const string Span = "00f067aa0ba902b7";
        await using var collector = await Receiver.StartAsync();
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, $"OTEL_EXPORTER_OTLP_ENDPOINT={new Uri(collector.Url).GetLeftPart(UriPartial.Authority)}",
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");

        await DeliverOneAsync(server, receiver, ("traceparent", $"00-{Trace}-{Span}-{flags}"));

        var sent = receiver.Requests.Single().Headers["traceparent"];
        Assert.Matches($"^00-{Trace}-[0-9a-f]{{16}}-{flags}$", sent);
        Assert.Equal(hasSpan, !sent.Contains(Span, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_collector_no_trace_is_sent_along()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        await DeliverOneAsync(server, receiver);

        Assert.DoesNotContain("traceparent", receiver.Requests.Single().Headers.Keys, StringComparer.OrdinalIgnoreCase);
    }

    private static async Task DeliverOneAsync(ServerUnderTest server, Receiver receiver, params (string, string?)[] headers)
    {
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        (await tenant.PostEventAsync("""{"type":"a","payload":{}}""", headers)).Accepted();
        await Poll.UntilAsync(() => receiver.Requests.Count == 1, "delivered");
    }

    private static List<string> Missing(string text, IEnumerable<string> used) =>
        [.. used.Where(name => !Regex.IsMatch(text, $@"(?m)^{name}[ {{]", RegexOptions.None, TimeSpan.FromSeconds(5)))];

    /// <summary>What the board asks for.</summary>
    private static string Expressions()
    {
        var board = JsonNode.Parse(File.ReadAllText(Deploy("grafana", "zapier-triggers.json")))!;
        var all = new StringBuilder();
        foreach (var panel in board["panels"]!.AsArray())
        {
            foreach (var target in panel!["targets"]?.AsArray() ?? []) all.AppendLine((string)target!["expr"]!);
        }

        return all.ToString();
    }

    private static string Deploy(params string[] path)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "ZapierTriggers.sln"))) root = Path.GetDirectoryName(root)!;
        return Path.Combine([root, "deploy", .. path]);
    }

    [GeneratedRegex(@"\b(zapier|http_server|dotnet)_[a-z_]+\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Figures();
}
