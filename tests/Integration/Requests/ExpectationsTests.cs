using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// Expect: 100-continue. Whoever is refused by what stands in the head gets the final status, no 100, and the connection's end as soon as
/// it ends its side; whoever may send is told so once. (Key, size and acceptance of events: see RawRequests.)
/// </summary>
public sealed class ExpectationsTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Expect = "Expect: 100-continue";

    public static TheoryData<string, string, string, int> Refused => new()
    {
        { "POST", "/api/events", "Content-Type: text/plain", 415 },
        { "POST", "/api/events", "Content-Encoding: gzip", 415 },
        { "POST", "/api/inbox/ack", "Content-Type: text/plain", 415 },
        { "POST", "/api/inbox/ack", "Content-Length: 300000", 413 },
        { "POST", "/api/webhook/config", "Content-Length: 300000", 413 },
        { "POST", "/api/keys/rotate", "Content-Length: 300000", 413 },
        { "POST", "/api/keys/generate", "Content-Length: 300000", 413 },
        { "PATCH", "/api/admin/organizations/x", "Content-Length: 300000", 401 },
        { "PUT", "/api/events", "X-None: 1", 405 },
        { "POST", "/api/nothing", "X-None: 1", 404 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_refusal_comes_without_a_100(string method, string path, string header, int status)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        string[] length = header.StartsWith("Content-Length", StringComparison.Ordinal) ? [] : ["Content-Length: 100"];
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head(method, path, tenant.Key, [header, Expect, .. length]));

        var reply = await client.ReadReplyAsync();
        Assert.Equal((status, "close"), (reply.Status, reply.Headers["Connection"]));
        client.EndSending();
        Assert.True(await client.IsAtEndAsync());
    }

    [Fact]
    public async Task Beyond_the_rate_limit_it_is_429_without_a_100()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await fixture.Server.SetLimitAsync(tenant, 1);
        (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head(tenant, "Content-Length: 100", Expect));

        Assert.Equal(429, (await client.ReadReplyAsync()).Status);
    }

    [Fact]
    public async Task Every_route_that_takes_a_body_asks_for_it()
    {
        foreach (var (name, route) in JsonRoute.All)
        {
            var tenant = await fixture.Server.NewTenantAsync();
            var request = route.Request(fixture.Server, tenant, Encoding.UTF8.GetBytes(route.Good), Expect);
            var head = request.Length - Encoding.UTF8.GetByteCount(route.Good);
            using var client = await RawClient.ConnectAsync(fixture.Server);

            await client.SendAsync(request.AsMemory(0, head));
            Assert.True((await client.ReadReplyAsync()).Status == 100, name);
            await client.SendAsync(request.AsMemory(head));

            Assert.True((await client.ReadReplyAsync()).Status == route.Success, name);
        }
    }

    [Fact]
    public async Task One_that_sends_without_waiting_is_answered_all_the_same()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var body = """{"type":"a","payload":{}}""";
        using var client = await RawClient.ConnectAsync(fixture.Server);

        for (var i = 0; i < 50; i++)
        {
            await client.SendAsync(RawClient.Request(tenant, body, Expect));
            var reply = await client.ReadReplyAsync();
            (reply.Status == 100 ? await client.ReadReplyAsync() : reply).Accepted();
        }
    }
}
