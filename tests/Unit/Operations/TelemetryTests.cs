using Microsoft.Extensions.Configuration;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Figures_are_in_the_text_under_their_names()
    {
        using var meter = new ServerMeter();
        var accepted = 41L;
        meter.Counter("zapier_events_accepted", "Events answered 202.", () => accepted);
        meter.Counters("zapier_events_refused", "Events refused.", "reason", [("rate_limited", () => 3), ("queue_full", () => 0)]);
        meter.Gauge("zapier_dedup_entries", "Dedup ids in memory.", () => 7);
        await using var server = await LoopbackServer.StartAsync(
            Telemetry.BuildMetrics, static services => Telemetry.Add(services, new ConfigurationBuilder().Build()));

        accepted++;
        var text = await server.Client.GetStringAsync("/metrics");

        Assert.Matches(@"(?m)^zapier_events_accepted_total(\{[^}]*\})? 42\b", text);
        Assert.Matches(@"(?m)^zapier_events_refused_total\{[^}]*reason=""rate_limited""[^}]*\} 3\b", text);
        Assert.Matches(@"(?m)^zapier_dedup_entries(\{[^}]*\})? 7\b", text);
        Assert.Contains("# HELP zapier_dedup_entries Dedup ids in memory.", text, StringComparison.Ordinal);
    }
}
