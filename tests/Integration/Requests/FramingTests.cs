using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// Bodies whose bounds are told wrongly, twice or oddly. Each has one answer; afterwards the connection is closed, or in step: the next
/// request on it is read from its first byte. What was refused leaves no event.
/// </summary>
public sealed class FramingTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Body = """{"type":"a","payload":{"n":1}}""";
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes(Body);
    private static readonly string Length = $"Content-Length: {Bytes.Length}";
    private static readonly string Size = Bytes.Length.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
    private const string Chunked = "Transfer-Encoding: chunked";

    /// <summary>Name, headers, what follows the head, status; 0 = closed without an answer.</summary>
    public static TheoryData<string, string[], string, int> Cases => new()
    {
        { "length told twice, equal", [Length, Length], Body, 400 },
        { "length told twice, different", [Length, "Content-Length: 3"], Body, 400 },
        { "length as a list", [$"{Length}, {Bytes.Length}"], Body, 400 },
        { "negative length", ["Content-Length: -1"], Body, 400 },
        { "length that no number holds", ["Content-Length: 99999999999999999999"], Body, 400 },
        { "length in hex", ["Content-Length: 0x1e"], Body, 400 },
        { "length with a fraction", ["Content-Length: 30.0"], Body, 400 },
        { "empty length", ["Content-Length:"], Body, 400 },
        { "space before the colon", [$"Content-Length : {Bytes.Length}"], Body, 400 },
        { "length and chunks", [Length, Chunked], $"{Size}\r\n{Body}\r\n0\r\n\r\n", 202 },
        { "chunks twice", [Chunked, Chunked], $"{Size}\r\n{Body}\r\n0\r\n\r\n", 202 },
        { "another coding", ["Transfer-Encoding: gzip"], Body, 400 },
        { "identity", ["Transfer-Encoding: identity", Length], Body, 400 },
        { "chunked not last", ["Transfer-Encoding: chunked, gzip"], Body, 400 },
        { "unknown coding", ["Transfer-Encoding: xchunked"], Body, 400 },
        { "extensions", [Chunked], $"{Size};a=b;c=\"d\"\r\n{Body}\r\n0;e\r\n\r\n", 202 },
        { "trailers", [Chunked], $"{Size}\r\n{Body}\r\n0\r\nX-T: 1\r\nContent-Length: 5\r\nX-API-Key: other\r\n\r\n", 202 },
        { "size in capitals with zeros", [Chunked], $"00{Size.ToUpperInvariant()}\r\n{Body}\r\n0000\r\n\r\n", 202 },
        { "bad trailer", [Chunked], $"{Size}\r\n{Body}\r\n0\r\nno colon\r\n\r\n", 400 },
        { "size that is none", [Chunked], $"zz\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "negative size", [Chunked], $"-1\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "size with 0x", [Chunked], $"0x{Size}\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "size with a space", [Chunked], $" {Size}\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "empty size", [Chunked], $"\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "size over 31 bits", [Chunked], "80000000\r\n", 400 },
        { "size over 64 bits", [Chunked], "ffffffffffffffffff\r\n", 400 },
        { "size of a hundred thousand digits", [Chunked], new string('0', 100_000) + $"{Size}\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "chunk longer than its size", [Chunked], $"5\r\n{Body}\r\n0\r\n\r\n", 400 },
        { "line feeds only", [Chunked], $"{Size}\n{Body}\n0\n\n", 400 },
        { "second size bad", [Chunked], $"{Size}\r\n{Body}\r\nzz\r\n\r\n", 400 },
        { "folded header", [Length, "X-A: a\r\n b"], Body, 400 },
        { "NUL in a header", [Length, "X-A: a\0b"], Body, 400 },
        { "carriage return in a header", [Length, "X-A: a\rb"], Body, 400 },
        { "two hosts", [Length, "Host: y"], Body, 400 },
        { "33 KB of headers", [Length, "X-A: " + new string('a', 33 * 1024)], Body, 431 },
        { "33 KB in a hundred headers", [Length, .. Enumerable.Repeat("X-A: " + new string('a', 340), 99)], Body, 431 },
        { "101 headers", [Length, .. Enumerable.Repeat("X-A: 1", 101)], Body, 431 },
        { "not UTF-8 in the dedup header", [Length, "Idempotency-Key: \uD800"], Body, 202 },
        { "an upgrade to HTTP/2", [Length, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
            Body, 202 },
        { "another expectation", [Length, "Expect: 200-ok"], Body, 202 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Has_its_answer_and_leaves_the_connection_closed_or_in_step(string name, string[] headers, string rest, int status)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.TrySendAsync((byte[])[.. RawClient.Head(tenant, headers), .. Encoding.UTF8.GetBytes(rest)]);
        var reply = await client.ReadReplyAsync();

        Assert.True(reply.Status == status, $"{name}: {reply.Status} {reply.Text}");
        if (reply.Bytes.Length > 0 && status == 400) reply.Problem(400, "invalid_request", "Invalid request");
        var accepted = status == 202 ? 1 : 0;
        if (await client.TrySendAsync(RawClient.Request(tenant, Body)) && await client.TryReadReplyAsync() is { } next)
        {
            Assert.True(next.Status == 202, $"{name}, the next one: {next.Status} {next.Text}");
            accepted++;
        }

        Assert.Equal(accepted, (await tenant.ReadInboxAsync()).Count);
        if (status is 400 or 431) Assert.Equal(0, accepted);
    }

    [Fact]
    public async Task A_length_that_is_too_short_cuts_the_body_and_the_rest_is_no_request()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync((byte[])[.. RawClient.Head(tenant, "Content-Length: 10"), .. Bytes]);

        (await client.ReadReplyAsync()).InvalidJson();
        client.EndSending();
        Assert.Equal(400, (await client.ReadReplyAsync()).Status);
        Assert.True(await client.IsAtEndAsync());
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task A_body_that_never_ends_is_given_up()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        (string Header, byte[] Sent)[] cases =
        [
            ($"Content-Length: {Bytes.Length + 1}", Bytes),
            ("Content-Length: 2147483648", Bytes),
            ("Content-Length: 9223372036854775807", Bytes),
            (Chunked, RawClient.Chunk(Bytes)),
            (Chunked, [.. "1;"u8, .. new byte[100_000]]),
            (Chunked, [.. RawClient.Chunk(Bytes), .. "0\r\nX-A: "u8]),
        ];

        // 240 bytes a second after 5 seconds is what Kestrel asks for: all wait side by side.
        var answers = await Task.WhenAll(cases.Select(async one =>
        {
            using var client = await RawClient.ConnectAsync(fixture.Server);
            await client.SendAsync((byte[])[.. RawClient.Head(tenant, one.Header), .. one.Sent]);
            return (Reply: await client.ReadReplyAsync(), AtEnd: await client.IsAtEndAsync());
        }));

        foreach (var (reply, atEnd) in answers)
        {
            reply.Problem(408, "invalid_request", "Invalid request");
            Assert.True(atEnd);
        }

        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("PUT")]
    [InlineData("GET")]
    [InlineData("PATCH")]
    [InlineData("TRACE")]
    [InlineData("post")]
    public async Task Another_method_on_a_POST_route_is_405_with_Allow(string method)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        foreach (var path in (string[])["/api/events", "/events", "/api/inbox/ack", "/ack", "/api/webhook/config", "/api/keys/generate",
            "/api/keys/rotate"])
        {
            using var client = await RawClient.ConnectAsync(fixture.Server);
            await client.SendAsync(RawClient.Head(method, path, tenant.Key));

            var reply = await client.ReadReplyAsync(toHead: method == "HEAD");
            var allowed = path.EndsWith("/events", StringComparison.Ordinal) ? "DELETE, OPTIONS, POST" : "POST";
            Assert.Equal((405, allowed), (reply.Status, reply.Headers["Allow"]));
        }
    }

    [Fact]
    public async Task HTTP_2_is_refused_in_its_own_words()
    {
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0]);

        // One GOAWAY frame: stream 0, error HTTP_1_1_REQUIRED (13), and the end.
        Assert.Equal([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13], await client.ReadRestAsync());
    }
}
