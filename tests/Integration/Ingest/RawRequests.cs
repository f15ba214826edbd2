using System.IO.Compression;
using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

/// <summary>Requests as they can come over a socket: in pieces, chunked, in a row, cut off.</summary>
public sealed class RawRequests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Body = """{"type":"user.created","payload":{"n":1},"ordering_key":"\u006b"}""";

    [Fact]
    public async Task Every_split_of_a_request_in_two_is_the_same_event()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);
        var request = RawClient.Request(tenant, Body);
        var ids = new List<string>();

        for (var at = 1; at < request.Length; at++)
        {
            await client.SendAsync(request.AsMemory(0, at));
            await client.SendAsync(request.AsMemory(at));
            ids.Add((await client.ReadReplyAsync()).Accepted());
        }

        var inbox = await tenant.ReadInboxAsync();
        Assert.Equal(ids, inbox.Select(found => found.Id));
        Assert.All(inbox, found => Assert.Equal(("user.created", """{"n":1}"""), (found.Type, found.Payload)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task A_body_may_come_in_small_pieces(int size)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        foreach (var piece in RawClient.Request(tenant, Body).Chunk(size)) await client.SendAsync(piece);

        (await client.ReadReplyAsync()).Accepted();
        Assert.Equal("""{"n":1}""", Assert.Single(await tenant.ReadInboxAsync()).Payload);
    }

    [Theory]
    [InlineData(1, 400)]
    [InlineData(10_000, 200_000)]
    public async Task A_body_may_be_chunked(int size, int length)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);
        var payload = "{\"x\":\"" + new string('y', length) + "\"}";

        await client.SendAsync(RawClient.Head(tenant, "Transfer-Encoding: chunked"));
        var body = Encoding.UTF8.GetBytes("{\"type\":\"a\",\"payload\":" + payload + "}");
        foreach (var chunk in body.Chunk(size)) await client.SendAsync(RawClient.Chunk(chunk));
        await client.SendAsync("0\r\n\r\n"u8.ToArray());

        (await client.ReadReplyAsync()).Accepted();
        Assert.Equal(payload, Assert.Single(await tenant.ReadInboxAsync()).Payload);
    }

    [Fact]
    public async Task Length_and_chunks_together_never_make_a_second_request_out_of_a_body()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head(tenant, "Content-Length: 1", "Transfer-Encoding: chunked"));
        await client.SendAsync(RawClient.Chunk(RawClient.Request(tenant, Body)));
        await client.SendAsync("0\r\n\r\n"u8.ToArray());

        Assert.Equal(400, (await client.ReadReplyAsync()).Status);
        Assert.True(await client.IsAtEndAsync());
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task Good_and_refused_requests_in_a_row_on_one_connection_stay_in_step()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var stranger = new Tenant(fixture.Server, "", "zap_live_wrong");
        var tooLarge = "{\"type\":\"a\",\"payload\":{\"x\":\"" + new string('y', 300_000) + "\"}}";
        (byte[] Request, int Status)[] kinds =
        [
            (RawClient.Request(tenant, Body), 202),
            (RawClient.Request(stranger, Body), 401),
            (RawClient.Request(tenant, "{\"type\":"), 400),
            (RawClient.Request(tenant, Body, "Content-Encoding: br"), 415),
            (RawClient.Request(tenant, tooLarge), 413),
            (RawClient.Request(stranger, tooLarge), 401),
            (RawClient.Request(tenant, """{"type":"","payload":{}}"""), 422),
        ];
        var random = new Random(5);
        var order = Enumerable.Range(0, 60).Select(_ => kinds[random.Next(kinds.Length)]).Append(kinds[0]).ToList();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        var sending = client.SendAsync(order.SelectMany(one => one.Request).ToArray());
        var accepted = new List<string>();
        foreach (var (_, status) in order)
        {
            var reply = await client.ReadReplyAsync();
            Assert.Equal(status, reply.Status);
            if (status == 202) accepted.Add(reply.Accepted());
        }

        await sending;
        Assert.Equal(accepted, (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_who_asks_first_gets_the_final_answer_of_a_refusal_at_once(bool tooLarge)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var sender = tooLarge ? tenant : new Tenant(fixture.Server, "", "zap_live_wrong");
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head(sender, $"Content-Length: {(tooLarge ? 300_000 : 100)}", "Expect: 100-continue"));

        var reply = await client.ReadReplyAsync();
        Assert.Equal(tooLarge ? 413 : 401, reply.Status);
        Assert.Equal("close", reply.Headers["Connection"]);
    }

    [Fact]
    public async Task One_who_asks_first_and_may_send_is_told_so()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head(tenant, $"Content-Length: {Body.Length}", "Expect: 100-continue"));
        Assert.Equal(100, (await client.ReadReplyAsync()).Status);
        await client.SendAsync(Encoding.UTF8.GetBytes(Body));

        (await client.ReadReplyAsync()).Accepted();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_lost_in_the_middle_of_a_body_leaves_nothing_behind(bool reset)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var body = """{"type":"a","payload":{},"dedup_id":"cut"}""";
        var request = RawClient.Request(tenant, body);

        for (var i = 0; i < 50; i++)
        {
            using var client = await RawClient.ConnectAsync(fixture.Server);
            await client.SendAsync(request.AsMemory(0, request.Length - 1 - (i % 20)));
            if (reset) client.Reset();
        }

        (await tenant.PostEventAsync(body)).Accepted();
        Assert.Single(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task A_compressed_body_is_refused_and_not_inflated()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var compressed = new MemoryStream();
        await using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var piece = new byte[1 << 20];
            for (var i = 0; i < 64; i++) await gzip.WriteAsync(piece);
        }

        var before = GC.GetTotalAllocatedBytes();
        var reply = await tenant.PostEventAsync(compressed.ToArray(), ("Content-Encoding", "gzip"));

        reply.Problem(415, "unsupported_media_type", "Unsupported media type");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 32 << 20);
    }
}
