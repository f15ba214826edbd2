using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>A client that ends its sending side with its last request still gets every answer, and then the end.</summary>
public sealed class HalfClosedClientsTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Body = """{"type":"a","payload":{"n":1}}""";
    private const int Rounds = 30;

    [Fact]
    public async Task Each_kind_of_request_is_answered()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        byte[] chunked = [.. RawClient.Head(tenant, "Transfer-Encoding: chunked"), .. RawClient.Chunk(Encoding.UTF8.GetBytes(Body)),
            .. "0\r\n\r\n"u8];
        (byte[] Request, int Status)[] requests =
        [
            (RawClient.Request(tenant, Body), 202),
            (chunked, 202),
            (RawClient.Request(tenant, "{"), 400),
            (RawClient.Request(tenant, Body.PadRight(300_000)), 413),
            (RawClient.Request("POST", "/api/inbox/ack", tenant.Key, """{"event_ids":["x"]}"""u8.ToArray()), 200),
            (RawClient.Head("GET", "/api/inbox?limit=1000", tenant.Key), 200),
            (RawClient.Head("GET", "/api/nothing", tenant.Key), 404),
        ];

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (request, status) in requests)
            {
                using var client = await RawClient.ConnectAsync(fixture.Server);
                await client.SendAsync(request);
                client.EndSending();
                Assert.Equal(status, (await client.ReadReplyAsync()).Status);
                Assert.True(await client.IsAtEndAsync());
            }
        }

        Assert.Equal(2 * Rounds, (await tenant.ReadInboxAsync()).Count);
    }

    [Fact]
    public async Task Requests_in_a_row_are_all_answered_in_order()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);
        var ids = new List<string>();

        await client.SendAsync(Enumerable.Repeat(RawClient.Request(tenant, Body), 200).SelectMany(one => one).ToArray());
        client.EndSending();
        for (var i = 0; i < 200; i++) ids.Add((await client.ReadReplyAsync()).Accepted());

        Assert.True(await client.IsAtEndAsync());
        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(one => one.Id));
    }

    [Fact]
    public async Task A_long_answer_is_read_to_its_end()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var payload = "{\"x\":\"" + new string('y', 200_000) + "\"}";
        for (var i = 0; i < 20; i++) (await tenant.PostEventAsync($$"""{"type":"a","payload":{{payload}}}""")).Accepted();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head("GET", "/api/inbox?limit=1000", tenant.Key));
        client.EndSending();

        Assert.Equal(20, InboxEvent.ReadPage((await client.ReadReplyAsync()).Bytes).Count);
    }
}
