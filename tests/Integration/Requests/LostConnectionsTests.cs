using System.Text;
using ZapierTriggers.Tests.Crash.Infrastructure;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// A client that goes away after each single byte of a request, by an end or by a reset: no event, no claim of the dedup id, no change by
/// the small routes, and not a line of complaint in the log.
/// </summary>
public sealed class LostConnectionsTests
{
    private const string Body =
        """{"type":"user.created","payload":{"user_id":"12345","email":"someone@example.com","tags":["a","b","c"],"n":12.50},"dedup_id":"cut-off","ordering_key":"k"}""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_is_left_of_a_request_that_was_cut_off(bool reset)
    {
        await using var server = await ServerProgram.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        var bytes = Encoding.UTF8.GetBytes(Body);
        byte[] chunked = [.. RawClient.Head(tenant, "Transfer-Encoding: chunked"), .. RawClient.Chunk(bytes[..40]),
            .. RawClient.Chunk(bytes[40..]), .. "0\r\n\r\n"u8];

        await CutEverywhereAsync(server, RawClient.Request(tenant, Body), reset);
        await CutEverywhereAsync(server, chunked, reset);

        Assert.Empty(await tenant.ReadInboxAsync());
        (await tenant.PostEventAsync(Body)).Accepted();
        Assert.Single(await tenant.ReadInboxAsync());
        await server.StopAsync();
        server.AssertHasNotComplained();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_small_call_that_was_cut_off_has_an_effect(bool reset)
    {
        await using var server = await ServerProgram.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        var before = await JsonRoute.StateAsync(tenant);

        foreach (var route in JsonRoute.All.Values) await CutEverywhereAsync(server,
            route.Request(server, tenant, Encoding.UTF8.GetBytes(route.Good)), reset);

        Assert.Equal(before, await JsonRoute.StateAsync(tenant));
        await server.StopAsync();
        server.AssertHasNotComplained();
    }

    private static async Task CutEverywhereAsync(ServerProgram server, byte[] request, bool reset)
    {
        for (var length = 0; length < request.Length; length++)
        {
            using var client = await RawClient.ConnectAsync(server);
            await client.SendAsync(request.AsMemory(0, length));
            if (reset)
            {
                // Some are reset before the server has read, some while it waits for more.
                if (length % 3 == 0) await Poll.SomeTicksAsync(1);
                client.Reset();
                continue;
            }

            // What it says, if anything, is that the head was cut off.
            client.EndSending();
            var answer = Encoding.ASCII.GetString(await client.ReadRestAsync());
            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), $"{length} bytes: {answer}");
        }
    }
}
