using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

/// <summary>
/// While the database is down the server does what the durability table says: it goes on taking events, up to its bound, unless an answer
/// means "stored". Nothing that was accepted is missing afterwards, nothing that was refused is there.
/// </summary>
public sealed class DatabaseOutage
{
    [Fact]
    public async Task Journaled_events_are_taken_and_stored_later()
    {
        using var cluster = PostgresCluster.Start();
        await using var server = await ServerUnderTest.StartOnAsync(cluster);
        var tenant = await server.NewTenantAsync();
        var ids = new List<string> { (await tenant.PostEventAsync(Body(0))).Accepted() };
        Assert.Single(await tenant.ReadInboxAsync());

        cluster.Stop();
        for (var n = 1; n < 20; n++) ids.Add((await tenant.PostEventAsync(Body(n))).Accepted());
        for (var n = 0; n < 20; n++) Assert.Equal(ids[n], (await tenant.PostEventAsync(Body(n))).Duplicate());
        StorageUnavailable(await tenant.GetAsync("/api/inbox"));
        StorageUnavailable(await tenant.PostAsync($"/api/ack/{ids[0]}"));
        cluster.Begin();

        await Poll.UntilAsync(async () => (await tenant.GetAsync("/api/inbox?limit=1")).Status == 200, "the database is found again");
        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    [Fact]
    public async Task Past_the_bound_events_are_refused_and_taken_again_later()
    {
        using var cluster = PostgresCluster.Start();
        await using var server = await ServerUnderTest.StartOnAsync(cluster, "Journal:MaxBytes=8388608");
        var tenant = await server.NewTenantAsync();
        var large = "{\"type\":\"a\",\"payload\":{\"x\":\"" + new string('y', 250_000) + "\"}}";
        cluster.Stop();

        var ids = new List<string>();
        Reply reply;
        while ((reply = await tenant.PostEventAsync(large)).Status == 202 && ids.Count < 100) ids.Add(reply.Accepted());
        reply.Problem(503, "queue_full", "Event queue is full", "retry_after_seconds");
        cluster.Begin();

        await Poll.UntilAsync(async () => (reply = await tenant.PostEventAsync(large)).Status == 202, "events are taken again");
        ids.Add(reply.Accepted());
        await Poll.UntilAsync(async () => (await tenant.GetAsync("/api/inbox?limit=1")).Status == 200, "all is stored");
        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    [Fact]
    public async Task Where_an_answer_means_stored_it_is_503_and_the_same_id_is_kept_once()
    {
        using var cluster = PostgresCluster.Start();
        await using var server = await ServerUnderTest.StartOnAsync(cluster, "Ingest:AckWhen=stored");
        var tenant = await server.NewTenantAsync();
        (await tenant.PostEventAsync(Body(0))).Accepted();

        cluster.Stop();
        var refused = await Task.WhenAll(Enumerable.Range(1, 3).Select(n => tenant.PostEventAsync(Body(n))));
        Assert.All(refused, StorageUnavailable);
        cluster.Begin();

        await Poll.UntilAsync(async () => (await tenant.PostEventAsync(Body(4))).Status is 202 or 409, "events are taken again");
        for (var n = 0; n < 5; n++) Assert.Contains((await tenant.PostEventAsync(Body(n))).Status, new[] { 202, 409 });
        var dedupIds = (await tenant.ReadInboxAsync()).Select(found => found.DedupId).Order(StringComparer.Ordinal);
        Assert.Equal(["d-0", "d-1", "d-2", "d-3", "d-4"], dedupIds);
    }

    private static void StorageUnavailable(Reply reply) =>
        reply.Problem(503, "storage_unavailable", "Storage unavailable", "retry_after_seconds");

    private static string Body(int n) => $$$"""{"type":"a","payload":{"n":{{{n}}}},"dedup_id":"d-{{{n}}}"}""";
}
