using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

/// <summary>
/// Two servers on one Postgres. The one that has lost the shard holds answered events that it could not store. What is erased at the other
/// one meanwhile does not come back when it is started again.
/// </summary>
public sealed class ErasedBeforeStoredTests
{
    /// <summary>So that the one that has lost the shard takes events for a while before it sees that.</summary>
    private const string Flush = "Journal:FlushInterval=3s";

    [Fact]
    public async Task What_was_erased_meanwhile_does_not_come_back_with_a_journal()
    {
        using var cluster = PostgresCluster.Start();
        await using var one = await ServerUnderTest.StartOnAsync(cluster, Flush);
        var (kept, gone) = (await one.NewTenantAsync(name: "Kept"), await one.NewTenantAsync(name: "Gone"));
        var before = await kept.SendEventAsync("""{"who":"erased-person"}""");
        Assert.Equal([before], (await kept.ReadInboxAsync()).Select(found => found.Id));
        await using var other = await ServerUnderTest.StartOnAsync(cluster);
        var there = new Tenant(other, kept.OrganizationId, kept.Key);

        // Answered by the one that has lost the shard: in its journal alone.
        var byPayload = await kept.SendEventAsync("""{"who":"erased-person"}""", "twin");
        var (byId, stays) = (await kept.SendEventAsync("""{"who":"erased-id"}"""), await kept.SendEventAsync("""{"who":"kept-person"}"""));
        await gone.SendEventAsync("""{"who":"erased-organization"}""");
        await there.SendEventAsync("{}");
        Assert.Equal(2, (await there.ReadInboxAsync()).Count);
        var receipt = await there.EraseToTheEndAsync("""{"payload_field":"who","equals":"erased-person"}""");
        Assert.Equal(1, (int)receipt.Json["erased"]!);
        await there.EraseToTheEndAsync($$"""{"event_ids":["{{byId}}"]}""");
        var path = $"/api/admin/organizations/{gone.OrganizationId}";
        await Poll.UntilAsync(
            async () => (await other.AdminAsync(HttpMethod.Delete, path, """{"confirm":"Gone"}""")).Status == 404, "the organization is gone");
        var later = await there.SendEventAsync("""{"who":"erased-person"}"""); // the erasure does not reach it
        Assert.True(one.JournalHolds("erased-person") && one.JournalHolds("erased-id") && one.JournalHolds("erased-organization"));
        await one.StopAsync();
        await one.StartAsync();

        var back = new Tenant(one, kept.OrganizationId, kept.Key);
        var ids = (await back.ReadInboxAsync()).Select(found => found.Id).ToList();
        Assert.Contains(stays, ids);
        Assert.Contains(later, ids);
        Assert.Equal(3, ids.Count);
        Assert.DoesNotContain(byPayload, ids);
        Assert.Equal(409, (await back.PostEventAsync("""{"type":"user.changed","payload":{"who":"erased-person"},"dedup_id":"twin"}""")).Status);
        Assert.Equal(3, (int)(await back.LedgerAsync())["erased"]!);
        await Poll.UntilAsync(
            () => !one.JournalHolds("erased-id") && !one.JournalHolds("erased-organization") && !one.JournalHolds("erased-person"),
            "its journal is rid of them");
        Assert.True(one.JournalHolds("kept-person"));
        await one.StopAsync();
        await other.StopAsync();
        foreach (var server in (ServerUnderTest[])[one, other])
        {
            var (code, output) = await server.VerifyAsync(cluster.ConnectionString);
            Assert.True(code == 0 && !output.Contains("remark", StringComparison.Ordinal), output);
        }
    }
}
