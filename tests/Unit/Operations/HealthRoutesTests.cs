using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class HealthRoutesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("/health", """{"status":"healthy","timestamp":"2026-01-02T12:00:00.005Z"}""")]
    [InlineData("/api/health", """{"status":"healthy","timestamp":"2026-01-02T12:00:00.005Z"}""")]
    [InlineData("/health/live", """{"status":"ok","timestamp":"2026-01-02T12:00:00.005Z"}""")]
    [InlineData("/health/ready", """{"status":"ready","database":"connected","timestamp":"2026-01-02T12:00:00.005Z"}""")]
    public async Task A_well_server_says_so(string path, string body)
    {
        var answer = await GetAsync(path, ReadyState.Healthy);

        Assert.Equal((HttpStatusCode.OK, body), answer);
    }

    [Fact]
    public async Task One_that_cannot_take_events_says_why()
    {
        var (status, body) = await GetAsync("/health/ready", ReadyState.NotReady("read_only", "the database is read-only"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal(
            """{"status":"not_ready","reason":"the database is read-only","database":"read_only","timestamp":"2026-01-02T12:00:00.005Z","reasons":["the database is read-only"]}""",
            body);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/live")]
    public async Task Being_alive_does_not_depend_on_being_ready(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(path, ReadyState.NotReady("disconnected", "away"))).Status);

    [Fact]
    public async Task The_detailed_answer_has_the_figures()
    {
        var (_, body) = await GetAsync("/api/health/detailed", ReadyState.Healthy);

        Assert.Contains(""""oldest_unstored_ms":250,"endpoints":{"active":0,"backing_off":0,"paused":2,"disabled":0}"""", body, StringComparison.Ordinal);
        Assert.Equal(
            17, JsonDocument.Parse(body).RootElement.GetProperty("figures").GetProperty("zapier_journal_backlog_events").GetInt64());
    }

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(string path, ReadyState state)
    {
        using var meter = new ServerMeter();
        meter.Gauge("zapier_journal_backlog_events", "Events not stored yet.", () => 17);
        var routes = new RouteTable();
        new HealthRoutes(
            new FakeTimeProvider(Noon), () => state, meter,
            () => new ServerDetail(250, new Dictionary<EndpointState, int> { [EndpointState.Paused] = 2 })).Map(routes);
        routes.Freeze();
        await using var server = await LoopbackServer.StartAsync(_ => routes.DispatchAsync);
        using var answer = await server.Client.GetAsync(path);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
