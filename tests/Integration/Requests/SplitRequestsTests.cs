using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// However a request is cut into packets, it is the same request: bodies of some 150 bytes with escapes and long characters at each place,
/// chunked ones with extensions and trailers, the small routes byte by byte. (Heads and bodies with a length: see RawRequests.)
/// </summary>
public sealed class SplitRequestsTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Payload = """{"s":"é😀\ud83d\ude00","n":-12.50e+3,"t":[true,false,null],"o":{"a":{}}}""";
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        $$"""{"\u0074ype":"order.cr\u00e9ated","payload": {{Payload}} ,"ordering_key":"k\u006b"}""");

    [Fact]
    public async Task A_body_with_a_length_in_two_at_each_byte()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await CheckAsync(tenant, [.. RawClient.Head(tenant, $"Content-Length: {Body.Length}")], Body);
    }

    [Fact]
    public async Task A_chunked_body_in_two_at_each_byte()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        byte[] chunked =
        [
            .. RawClient.Chunk(Body[..7]), .. Encoding.ASCII.GetBytes($"{Body.Length - 7:X4};name=value;q=\"x y\"\r\n"), .. Body[7..],
            .. "\r\n0;last\r\nX-Trailer: a\r\nX-Api-Key: b\r\n\r\n"u8,
        ];
        await CheckAsync(tenant, RawClient.Head(tenant, "Transfer-Encoding: chunked"), chunked);
    }

    [Fact]
    public async Task Every_route_byte_by_byte()
    {
        foreach (var (name, route) in JsonRoute.All)
        {
            var tenant = await fixture.Server.NewTenantAsync();
            using var client = await RawClient.ConnectAsync(fixture.Server);
            foreach (var one in route.Request(fixture.Server, tenant, Encoding.UTF8.GetBytes(route.Good)).Chunk(1))
                await client.SendAsync(one);
            var reply = await client.ReadReplyAsync();
            Assert.True(reply.Status == route.Success, $"{name}: {reply.Status} {reply.Text}");
        }
    }

    private async Task CheckAsync(Tenant tenant, byte[] head, byte[] body)
    {
        using var client = await RawClient.ConnectAsync(fixture.Server);
        var ids = new List<string>();
        for (var at = 0; at < body.Length; at++)
        {
            // The head is answered by nothing, so what comes with it comes first; a look at the connection in between makes the two
            // packets two.
            await client.SendAsync((byte[])[.. head, .. body[..at]]);
            (await tenant.GetAsync("/health/live")).Json.Clear();
            await client.SendAsync(body.AsMemory(at));
            ids.Add((await client.ReadReplyAsync()).Accepted());
        }

        var inbox = await tenant.ReadInboxAsync();
        Assert.Equal(ids, inbox.Select(one => one.Id));
        Assert.All(inbox, one => Assert.Equal(("order.créated", Payload), (one.Type, one.Payload)));
    }
}
