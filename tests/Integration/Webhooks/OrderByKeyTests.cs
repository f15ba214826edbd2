using System.Collections.Concurrent;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>An endpoint with <c>ordering</c> = <c>key</c>, and a receiver that notes what is in flight together.</summary>
public sealed class OrderByKeyTests
{
    private const string Path = "/api/endpoints";

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Events_of_a_key_come_one_at_a_time_in_order_also_when_some_fail_and_over_a_restart(StoreKind store)
    {
        await using var receiver = await Receiver.StartAsync();
        var taken = new ConcurrentDictionary<string, ConcurrentQueue<string>>(StringComparer.Ordinal);
        var keyOf = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var inFlight = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var (together, count) = (0, 0);
        receiver.Answer = (context, received) =>
        {
            var key = received.Body.Split("\"k\":\"")[1].Split('"')[0];
            if (inFlight.AddOrUpdate(key, 1, static (_, now) => now + 1) > 1) Interlocked.Increment(ref together);
            keyOf[received.Id] = key;
            if (Interlocked.Increment(ref count) % 5 == 0) context.Response.StatusCode = 500;
            else taken.GetOrAdd(key, static _ => new()).Enqueue(received.Id);
            context.Response.OnCompleted(() => Task.CompletedTask);
            inFlight.AddOrUpdate(key, 0, static (_, now) => now - 1);
            return Task.CompletedTask;
        };
        await using var server = await ServerUnderTest.StartAsync(
            store, $"Delivery:RetrySchedule={string.Join(',', Enumerable.Repeat("50ms", 20))}", "Delivery:OrderingWait=10m");
        var tenant = await server.NewTenantAsync();
        Assert.Equal(201, (await tenant.PostAsync(Path, $$"""{"url":"{{receiver.Url}}","ordering":"key"}""")).Status);

        var sent = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 150; i++)
            {
                var key = $"k{i % 5}";
                var id = (await tenant.PostEventAsync($$"""{"type":"a","payload":{"k":"{{key}}"},"ordering_key":"{{key}}"}""")).Accepted();
                if (!sent.TryGetValue(key, out var ids)) sent[key] = ids = [];
                ids.Add(id);
            }

            if (round > 0) break;
            await server.StopAsync();
            await server.StartAsync();
        }

        await Poll.UntilAsync(() => taken.Values.Sum(ids => ids.Distinct(StringComparer.Ordinal).Count()) == 300, "all events");
        foreach (var (key, ids) in sent) Assert.Equal(ids, taken[key].Distinct(StringComparer.Ordinal));
        Assert.Equal(0, together);
    }

    [Fact]
    public async Task A_key_that_fails_holds_up_no_other_and_its_own_for_a_while_only()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, received) =>
        {
            if (received.Body.Contains("bad", StringComparison.Ordinal)) context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, "Delivery:OrderingWait=2s", "Delivery:RetrySchedule=1h");
        var tenant = await server.NewTenantAsync();
        Assert.Equal(201, (await tenant.PostAsync(Path, $$"""{"url":"{{receiver.Url}}","ordering":"key"}""")).Status);
        var bad = await PostAsync(tenant, "a", "bad");
        await Poll.UntilAsync(() => receiver.CountOf(bad) == 1, "the one that fails");

        var behind = await PostAsync(tenant, "a", "good");
        var others = new List<string>();
        for (var i = 0; i < 50; i++) others.Add(await PostAsync(tenant, $"b{i % 3}", "good"));
        await Poll.UntilAsync(() => others.TrueForAll(id => receiver.CountOf(id) == 1), "other keys");
        await Poll.UntilAsync(() => receiver.CountOf(behind) == 1, "what waited behind it");

        Assert.Equal(1, receiver.CountOf(bad));
        var order = receiver.Requests.Select(request => request.Id).ToList();
        Assert.True(order.IndexOf(behind) > order.IndexOf(others[0]), "it waited");
    }

    private static async Task<string> PostAsync(Tenant tenant, string key, string what) =>
        (await tenant.PostEventAsync($$"""{"type":"a","payload":{"x":"{{what}}"},"ordering_key":"{{key}}"}""")).Accepted();
}
