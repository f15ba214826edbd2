using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>
/// A server stops while it holds claims of retries that it has not begun, since their endpoint's rate limit makes them wait: whoever goes
/// on need not wait for their leases. Those last six minutes here, so a wait for one fails the test.
/// </summary>
public sealed class StopsWithClaimsTests
{
    /// <summary>More than the seconds in which another server starts: one is begun each second.</summary>
    private const int Count = 50;

    private static readonly string[] Settings = ["Delivery:RetrySchedule=1s,1s,1s", "Delivery:Timeout=5min"];

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task The_next_start_goes_on_at_once(StoreKind store)
    {
        await using var server = await ServerUnderTest.StartAsync(store, Settings);
        await using var receiver = await Receiver.StartAsync();
        var (tenant, ids) = await ClaimAsync(server, receiver);

        await server.StopAsync();
        await server.StartAsync();

        await AllCameAgainAsync(tenant, receiver, ids);
    }

    [Fact]
    public async Task So_does_another_server_on_the_same_database()
    {
        using var cluster = PostgresCluster.Start();
        await using var server = await ServerUnderTest.StartOnAsync(cluster, Settings);
        await using var receiver = await Receiver.StartAsync();
        var (tenant, ids) = await ClaimAsync(server, receiver);
        await using var other = await ServerUnderTest.StartOnAsync(cluster, Settings);
        const string Claims = "SELECT count(*) FROM retries WHERE claimed AND due_at > now() + interval '5 minutes'";
        Assert.InRange((long)(await PostgresServer.ExecuteAsync(Claims, cluster.ConnectionString))!, 1, Count);

        await server.StopAsync();

        await AllCameAgainAsync(new Tenant(other, tenant.OrganizationId, tenant.Key), receiver, ids);
    }

    /// <summary>Lets many first tries fail together, and waits until their retries are claimed: they start one a second.</summary>
    private static async Task<(Tenant Tenant, List<string> Ids)> ClaimAsync(ServerUnderTest server, Receiver receiver)
    {
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        var first = await PostAsync(tenant, 3 * Count); // each success is one place more
        await Poll.UntilAsync(() => first.TrueForAll(id => receiver.CountOf(id) == 1), "the first events");

        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = async (context, _) =>
        {
            await gate.Task;
            context.Response.StatusCode = 500;
        };
        var ids = await PostAsync(tenant, Count);
        await Poll.UntilAsync(() => ids.TrueForAll(id => receiver.CountOf(id) == 1), "first tries of all");
        await LimitAsync(tenant, 1);
        gate.SetResult();
        receiver.Answer = static (_, _) => Task.CompletedTask;
        await Poll.UntilAsync(() => ids.Exists(id => receiver.CountOf(id) == 2), "the first retry");
        return (tenant, ids);
    }

    private static async Task<List<string>> PostAsync(Tenant tenant, int count)
    {
        var ids = new List<string>();
        for (var i = 0; i < count; i++) ids.Add((await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted());
        return ids;
    }

    private static async Task LimitAsync(Tenant tenant, int perSecond)
    {
        var endpoint = (string)(await tenant.GetAsync("/api/endpoints")).Json["endpoints"]![0]!["id"]!;
        var reply = await tenant.PatchAsync($"/api/endpoints/{endpoint}", $$"""{"rate_limit_per_second":{{perSecond}}}""");
        Assert.Equal(200, reply.Status);
    }

    private static async Task AllCameAgainAsync(Tenant tenant, Receiver receiver, List<string> ids)
    {
        await LimitAsync(tenant, 100);
        await Poll.UntilAsync(() => ids.TrueForAll(id => receiver.CountOf(id) >= 2), "a second try of all");
    }
}
