using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

/// <summary>Whatever an answer waits for, it is the same answer.</summary>
public sealed class Durability
{
    public static MatrixTheoryData<StoreKind, string> Modes => new(
        [StoreKind.Sqlite, StoreKind.Postgres], ["journaled", "synced", "stored"]);

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Events_and_duplicates_are_answered_in_every_mode(StoreKind store, string mode)
    {
        await using var server = await ServerUnderTest.StartAsync(store, $"Ingest:AckWhen={mode}");
        var tenant = await server.NewTenantAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => tenant.PostEventAsync(Body(n % 50))));

        var accepted = replies.Where(reply => reply.Status == 202).Select(reply => reply.Accepted()).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(50, accepted.Count);
        var named = replies.Where(reply => reply.Status != 202).Select(reply => reply.Duplicate());
        Assert.Equal(accepted, named.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(accepted, (await tenant.ReadInboxAsync()).Select(found => found.Id));
        Assert.Contains((await tenant.PostEventAsync(Body(7))).Duplicate(), accepted);
        (await tenant.PostEventAsync(Body(50))).Accepted();
    }

    private static string Body(int n) => $$$"""{"type":"a","payload":{"n":{{{n}}}},"dedup_id":"d-{{{n}}}"}""";
}
