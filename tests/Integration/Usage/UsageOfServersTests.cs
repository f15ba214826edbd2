using ZapierTriggers.Tests.Integration.DataRights;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Usage;

/// <summary>Several servers on one Postgres: their usage adds up, and they come to one number of a quota.</summary>
public sealed class UsageOfServersTests
{
    private const string Event = """{"type":"a","payload":{}}""";

    [Fact]
    public async Task Two_servers_add_up()
    {
        using var cluster = PostgresCluster.Start();
        string[] settings = ["Quota:Enabled=true", "Quota:PerMonth:Free=5"];
        await using var one = await ServerUnderTest.StartOnAsync(cluster, settings);
        var here = await one.NewTenantAsync();
        for (var n = 0; n < 3; n++) (await here.PostEventAsync(Event)).Accepted();
        Assert.Equal(3, (int)(await here.GetAsync("/api/usage")).Json["totals"]!["accepted"]!);
        await here.PostEventAsync("{");

        // The later one takes the shard, and knows what the first has accepted.
        await using var other = await ServerUnderTest.StartOnAsync(cluster, settings);
        var there = new Tenant(other, here.OrganizationId, here.Key);
        await there.PostEventAsync("{");

        // What the first takes now stays in its journal, so the other does not hear of it; the first learns of the other's, also by
        // being asked.
        (await here.PostEventAsync(Event)).Accepted();
        for (var n = 0; n < 2; n++) (await there.PostEventAsync(Event)).Accepted();
        Assert.Equal(429, (await there.PostEventAsync(Event)).Status);
        await Poll.UntilAsync(async () => (int)(await here.GetAsync("/api/limits")).Json["quota"]!["used"]! == 6, "the first has learned");
        Assert.Equal(429, (await here.PostEventAsync(Event)).Status);
        await other.StopAsync();
        await one.StopAsync();
        await one.StartAsync();
        here = new Tenant(one, here.OrganizationId, here.Key);
        Assert.Equal(429, (await here.PostEventAsync(Event)).Status);
        Assert.Equal(6, (int)(await here.GetAsync("/api/limits")).Json["quota"]!["used"]!);
        var totals = (await here.GetAsync("/api/usage")).Json["totals"]!;
        Assert.Equal((6, 2), ((int)totals["accepted"]!, (int)totals["refused"]!["invalid"]!));
        Assert.Equal(3, (int)totals["refused"]!["quota"]!);
        Assert.Equal(6, (int)(await here.LedgerAsync())["accepted"]!);
    }
}
