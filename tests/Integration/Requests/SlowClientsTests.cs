using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// Clients that send a byte now and then, in the head or in the body: others are served meanwhile, each slow one is ended by the limits of
/// heads (10 s) and bodies (240 bytes a second after 5 s), memory stays flat. 300 of them, or as many as ZAP_TEST_SLOW_CLIENTS says.
/// </summary>
public sealed class SlowClientsTests
{
    private const long FlatBytes = 64 << 20;
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("ZAP_TEST_SLOW_CLIENTS"), out var count) ? count
        : 300;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task Are_ended_while_others_are_served()
    {
        // The collector lets garbage grow with the processor's cache (over 100 MB on some) before it looks at any of it.
        await using var server = await ServerProgram.StartAsync(StoreKind.Sqlite, ("DOTNET_GCGen0MaxBudget", "1000000"));
        var tenant = await server.NewTenantAsync();
        for (var i = 0; i < 200; i++) (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        var before = server.ResidentBytes;

        var slow = Enumerable.Range(0, Count).Select(number => TrickleAsync(server, tenant, number)).ToList();
        var all = Task.WhenAll(slow);
        var (served, highest) = (0, before);
        while (!all.IsCompleted)
        {
            (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
            served++;
            highest = Math.Max(highest, server.ResidentBytes);
        }

        Assert.All(await all, answer => Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal),
            answer));
        Assert.Equal(200 + served, (await tenant.ReadInboxAsync()).Count);
        Assert.InRange(highest - before, long.MinValue, FlatBytes);
        await server.StopAsync();
        server.AssertHasNotComplained();
    }

    /// <summary>Sends the beginning of a request, and then a byte at a time until the server ends it; what the server said.</summary>
    private static async Task<string> TrickleAsync(ServerProgram server, Tenant tenant, int number)
    {
        using var client = await RawClient.ConnectAsync(server);
        byte[] start = (number % 3) switch
        {
            0 => Encoding.ASCII.GetBytes("POST /api/events HTTP/1.1\r\nHost: x\r\nX-A: "),
            1 => [.. RawClient.Head(tenant, "Content-Length: 260000"), .. "{\"type\":\"a\",\"payload\":{\"x\":\""u8],
            _ => RawClient.Head(tenant, "Transfer-Encoding: chunked"),
        };
        byte[] more = number % 3 == 2 ? "1\r\n \r\n"u8.ToArray() : "a"u8.ToArray();
        var answer = client.ReadRestAsync();
        using var timer = new PeriodicTimer(Pause);
        for (var open = await client.TrySendAsync(start); open && !answer.IsCompleted; open = await client.TrySendAsync(more))
            await timer.WaitForNextTickAsync();
        return Encoding.ASCII.GetString(await answer);
    }
}
