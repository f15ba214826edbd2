using System.Globalization;
using System.Text.RegularExpressions;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

/// <summary>
/// Of 64 twins at once one is accepted and 63 name it, whatever a 202 waits for, also when the server has just started, so that its window
/// proves nothing and the store must be asked; and how far the window reaches back is shown.
/// </summary>
public sealed partial class DedupTwins
{
    private const int Twins = 64;

    [Theory]
    [InlineData(StoreKind.Sqlite, "journaled")]
    [InlineData(StoreKind.Sqlite, "synced")]
    [InlineData(StoreKind.Sqlite, "stored")]
    [InlineData(StoreKind.Postgres, "journaled")]
    [InlineData(StoreKind.Postgres, "synced")]
    [InlineData(StoreKind.Postgres, "stored")]
    public async Task One_is_accepted_and_63_name_it_before_and_after_a_restart(StoreKind store, string ackWhen)
    {
        await using var server = await ServerUnderTest.StartAsync(store, $"Ingest:AckWhen={ackWhen}", "Journal:RetainFor=0s");
        var tenant = await server.NewTenantAsync();
        var before = OneAccepted(await SendAsync(tenant, "before"));

        await server.StopAsync();
        await server.StartAsync();

        var after = OneAccepted(await SendAsync(tenant, "after")); // a miss that the store must confirm, for each of them
        Assert.All(await SendAsync(tenant, "before"), reply => Assert.Equal(before, reply.Duplicate()));
        Assert.Equal([before, after], (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    [Fact]
    public async Task How_far_the_window_reaches_back_begins_anew_with_a_start()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        double first = 0;
        await Webhooks.Poll.UntilAsync(async () => (first = await CoverageAsync(server)) > 1, "the coverage grows");

        var start = TimeProvider.System.GetTimestamp();
        await server.StopAsync();
        await server.StartAsync();
        var second = await CoverageAsync(server);

        Assert.InRange(first, 1, 86_400);
        Assert.InRange(second, 0, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
        await Webhooks.Poll.UntilAsync(async () => await CoverageAsync(server) > second, "the coverage grows again");
    }

    private static async Task<double> CoverageAsync(ServerUnderTest server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("X-API-Key", server.AdminToken);
        using var answer = await server.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        var line = CoverageLine().Match(text);
        // a first scrape may come too early
        return line.Success ? double.Parse(line.Groups["seconds"].Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(
        @"(?m)^zapier_dedup_coverage_seconds(?:\{[^}]*\})? (?<seconds>[0-9.eE+-]+)", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex CoverageLine();

    private static Task<Reply[]> SendAsync(Tenant tenant, string dedupId) => Task.WhenAll(Enumerable.Range(0, Twins).Select(
        _ => tenant.PostEventAsync($$"""{"type":"a","payload":{"x":1},"dedup_id":"{{dedupId}}"}""")));

    private static string OneAccepted(Reply[] replies)
    {
        var id = Assert.Single(replies, reply => reply.Status == 202).Accepted();
        var others = replies.Where(reply => reply.Status != 202).ToList();
        Assert.Equal(Twins - 1, others.Count);
        Assert.All(others, reply => Assert.Equal(id, reply.Duplicate()));
        return id;
    }
}
