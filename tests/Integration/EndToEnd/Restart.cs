using System.Globalization;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

/// <summary>A server that is stopped and started again goes on as if nothing had been.</summary>
public sealed class Restart
{
    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Inbox_ids_and_keys_go_on(StoreKind store)
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        for (var n = 0; n < 50; n++) (await tenant.PostEventAsync(Body(n))).Accepted();
        var acknowledged = (await tenant.ReadInboxAsync())[3].Id;
        Assert.Equal(200, (await tenant.PostAsync($"/api/ack/{acknowledged}")).Status);
        var before = await tenant.ReadInboxAsync();

        await server.StopAsync();
        await server.StartAsync();

        Assert.Equal(before, await tenant.ReadInboxAsync());
        var next = (await tenant.PostEventAsync(Body(50))).Accepted();
        Assert.True(string.CompareOrdinal(next, before[^1].Id) > 0);
        var after = await tenant.ReadInboxAsync();
        Assert.Equal([.. before.Select(found => found.Id), next], after.Select(found => found.Id));
        Assert.Equal("delivered", after[3].Status);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite, "Dedup:MaxEntries=1000")]
    [InlineData(StoreKind.Sqlite, "Journal:RetainFor=0s")]
    [InlineData(StoreKind.Sqlite, "Dedup:MaxEntries=0")]
    [InlineData(StoreKind.Postgres, "Dedup:MaxEntries=1000")]
    [InlineData(StoreKind.Postgres, "Journal:RetainFor=0s")]
    [InlineData(StoreKind.Postgres, "Dedup:MaxEntries=0")]
    public async Task A_dedup_id_from_before_is_still_a_duplicate(StoreKind store, string setting)
    {
        await using var server = await ServerUnderTest.StartAsync(store, setting);
        var tenant = await server.NewTenantAsync();
        var ids = new List<string>();
        for (var n = 0; n < 20; n++) ids.Add((await tenant.PostEventAsync(Body(n))).Accepted());

        await server.StopAsync();
        await server.StartAsync();

        for (var n = 0; n < ids.Count; n++) Assert.Equal(ids[n], (await tenant.PostEventAsync(Body(n))).Duplicate());
        var reused = await tenant.PostEventAsync("""{"type":"a","payload":{"other":1},"dedup_id":"d-0"}""");
        reused.Problem(422, "idempotency_key_reused", "Idempotency key reused", "event_id");
        (await tenant.PostEventAsync(Body(20))).Accepted();
        Assert.Equal(21, (await tenant.ReadInboxAsync()).Count);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Endpoints_go_on_and_nothing_is_delivered_twice(StoreKind store)
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        await using var receiver = await Receiver.StartAsync();
        var tenant = await server.NewTenantAsync();
        var other = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        var ids = new List<string>();

        for (var round = 0; round < 3; round++)
        {
            for (var n = 0; n < 100; n++)
            {
                ids.Add((await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted());
                (await other.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
            }

            // In the middle of deliveries: what is in flight is awaited and recorded, the rest is sent by the next one.
            await server.StopAsync();
            await server.StartAsync();
        }

        await Poll.UntilAsync(() => receiver.Requests.Count >= ids.Count, "all are delivered");
        await Poll.UntilAsync(async () => (await tenant.ReadInboxAsync("&status=delivered")).Count == ids.Count, "all are recorded");
        Assert.Equal(ids, receiver.Requests.Select(request => request.Id).Order(StringComparer.Ordinal));
    }

    private static string Body(int n) =>
        string.Create(CultureInfo.InvariantCulture, $$$"""{"type":"a","payload":{"n":{{{n}}}},"dedup_id":"d-{{{n}}}"}""");
}
