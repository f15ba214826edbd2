using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>Good and refused requests to all kinds of routes in a row on one connection, cut anywhere: answers in order, each the right
/// one.</summary>
public sealed class MixedPipelinesTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const int Requests = 150;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Answers_come_in_order(int seed)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var random = new Random(seed);
        var order = Enumerable.Range(0, Requests).Select(number => Draw(tenant, random, number)).ToList();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        var sending = SendAsync(client, [.. order.SelectMany(one => one.Request)], random);
        var accepted = new List<string>();
        foreach (var (number, one) in order.Index())
        {
            var reply = await client.ReadReplyAsync(one.IsHead);
            Assert.True(one.Status == reply.Status, $"request {number}: {one.Status} expected, {reply.Status} {reply.Text}");
            Assert.Equal(number.ToString(System.Globalization.CultureInfo.InvariantCulture), reply.Headers["X-Request-Id"]);
            if (reply.Status == 202) accepted.Add(reply.Accepted());
        }

        await sending;
        Assert.Equal(accepted, (await tenant.ReadInboxAsync()).Select(one => one.Id));
    }

    private static (byte[] Request, int Status, bool IsHead) Draw(Tenant tenant, Random random, int number)
    {
        var id = $"X-Request-Id: {number}";
        var good = """{"type":"a","payload":{}}""";
        byte[] Event(string body, params string[] headers) => RawClient.Request(tenant, body, [id, .. headers]);
        return random.Next(12) switch
        {
            0 => (Event("{"), 400, false),
            1 => (Event(good, "Content-Type: text/plain"), 415, false),
            2 => (Event(good.PadRight(300_000)), 413, false),
            3 => (RawClient.Request("POST", "/api/events", "zap_live_x", Encoding.UTF8.GetBytes(good), id), 401, false),
            4 => (RawClient.Request("POST", "/api/inbox/ack", tenant.Key, new byte[300_000], id), 413, false),
            5 => (RawClient.Request("POST", "/api/nothing", tenant.Key, new byte[50_000], id), 404, false),
            6 => (RawClient.Request("PUT", "/api/events", tenant.Key, new byte[5_000], id), 405, false),
            7 => (RawClient.Head("HEAD", "/api/inbox", tenant.Key, id), 200, true),
            8 => (RawClient.Head("GET", "/api/inbox?limit=1000", tenant.Key, id), 200, false),
            9 => (RawClient.Head("HEAD", "/api/events", tenant.Key, id), 405, true),
            10 => ([.. RawClient.Head(tenant, "Transfer-Encoding: chunked", id), .. RawClient.Chunk(Encoding.UTF8.GetBytes(good)),
            .. "0\r\n\r\n"u8], 202, false),
            _ => (Event(good), 202, false),
        };
    }

    private static async Task SendAsync(RawClient client, byte[] bytes, Random random)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, random.Next(1, 60_000));
            await client.SendAsync(bytes.AsMemory(at, length));
            at += length;
        }
    }
}
