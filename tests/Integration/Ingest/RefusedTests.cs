using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

public sealed class PostgresRefusedTests(PostgresBackedServer fixture) : RefusedTests<PostgresBackedServer>(fixture);

public sealed class SqliteRefusedTests(SqliteServer fixture) : RefusedTests<SqliteServer>(fixture);

/// <summary>What is refused: with which status, title, code and extras; and that nothing is left behind.</summary>
public abstract class RefusedTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Body = """{"type":"a","payload":{}}""";

    public static TheoryData<string, byte[]> NotJson => new()
    {
        { "empty", [] },
        { "white space", " \r\n"u8.ToArray() },
        { "cut off", "{\"type\":\"a\",\"payload\":{}"u8.ToArray() },
        { "array", "[]"u8.ToArray() },
        { "string", "\"a\""u8.ToArray() },
        { "null", "null"u8.ToArray() },
        { "byte order mark", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Body)] },
        { "UTF-16", Encoding.Unicode.GetBytes(Body) },
        { "invalid UTF-8", [.. "{\"type\":\"a\",\"payload\":{\"x\":\""u8, 0xC3, 0x28, .. "\"}}"u8] },
        { "surrogate as UTF-8", [.. "{\"type\":\"a\",\"payload\":{\"x\":\""u8, 0xED, 0xA0, 0x80, .. "\"}}"u8] },
        { "lone surrogate escape", """{"type":"a","payload":{"x":"\ud83d"}}"""u8.ToArray() },
        { "trailing bytes", "{\"type\":\"a\",\"payload\":{}} x"u8.ToArray() },
        { "second object", "{\"type\":\"a\",\"payload\":{}}{}"u8.ToArray() },
        { "twin key", """{"type":"a","payload":{},"type":"b"}"""u8.ToArray() },
        { "twin key, escaped", """{"type":"a","payload":{},"typ\u0065":"a"}"""u8.ToArray() },
        { "single quotes", "{'type':'a','payload':{}}"u8.ToArray() },
        { "nested 500 deep", Encoding.UTF8.GetBytes("{\"type\":\"a\",\"payload\":{\"x\":" + Nested(500) + "}}") },
    };

    [Theory]
    [MemberData(nameof(NotJson))]
    public async Task What_is_no_JSON_object_is_400(string what, byte[] body)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.PostEventAsync(body);

        Assert.True(reply.Status == 400, what);
        reply.InvalidJson();
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"type":"a"}""")]
    [InlineData("""{"payload":{}}""")]
    [InlineData("""{"Type":"a","Payload":{}}""")]
    public async Task A_field_that_is_absent_is_400(string body)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostEventAsync(body)).Problem(400, "missing_fields", "Missing required fields: type, payload");
    }

    [Theory]
    [InlineData("type", """{"type":"","payload":{}}""")]
    [InlineData("type", """{"type":1,"payload":{}}""")]
    [InlineData("type", """{"type":null,"payload":{}}""")]
    [InlineData("type", """{"type":"a\u0000b","payload":{}}""")]
    [InlineData("type", """{"type":"a\n","payload":{}}""")]
    [InlineData("payload", """{"type":"a","payload":[]}""")]
    [InlineData("payload", """{"type":"a","payload":null}""")]
    [InlineData("payload", """{"type":"a","payload":"{}"}""")]
    [InlineData("payload", """{"type":"a","payload":{},"data":{"x":1}}""")]
    [InlineData("dedup_id", """{"type":"a","payload":{},"dedup_id":1}""")]
    [InlineData("dedup_id", """{"type":"a","payload":{},"dedup_id":{}}""")]
    [InlineData("dedup_id", """{"type":"a","payload":{},"dedup_id":"\u0000"}""")]
    [InlineData("ordering_key", """{"type":"a","payload":{},"ordering_key":true}""")]
    public async Task A_field_that_breaks_a_rule_is_422(string field, string body)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostEventAsync(body)).InvalidField(field);

        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Theory]
    [InlineData("type")]
    [InlineData("dedup_id")]
    [InlineData("ordering_key")]
    public async Task Texts_have_at_most_255_characters(string field)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var longest = string.Concat(Enumerable.Repeat("😀", 255));

        (await tenant.PostEventAsync(With(longest))).Accepted();
        (await tenant.PostEventAsync(With(longest + "x"))).InvalidField(field);

        string With(string text) => field == "type"
            ? $$$"""{"type":"{{{text}}}","payload":{}}"""
            : $$$"""{"type":"a","payload":{},"{{{field}}}":"{{{text}}}"}""";
    }

    [Fact]
    public async Task Without_a_key_or_with_a_wrong_one_it_is_401()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var body = Encoding.UTF8.GetBytes(Body);

        var none = await tenant.SendAsync(HttpMethod.Post, "/api/events", body);
        var wrong = await tenant.PostAsync("/api/keys/rotate");
        var stopped = await tenant.PostEventAsync(Body);
        var garbage = await tenant.SendAsync(HttpMethod.Post, "/api/events", body, ("Authorization", "Bearer zap_live_x"));

        Assert.Equal(200, wrong.Status);
        none.Problem(401, "missing_api_key", "Missing API key");
        foreach (var reply in new[] { stopped, garbage }) reply.Problem(401, "invalid_api_key", "Invalid API key");
        foreach (var reply in new[] { none, stopped, garbage })
        {
            Assert.StartsWith("Bearer", reply.Headers["WWW-Authenticate"], StringComparison.Ordinal);
            Assert.DoesNotContain("RateLimit", reply.Headers.Keys);
        }
    }

    [Theory]
    [InlineData("Content-Type", "text/plain")]
    [InlineData("Content-Type", "application/x-www-form-urlencoded")]
    [InlineData("Content-Type", "application/json; charset=utf-16")]
    [InlineData("Content-Encoding", "gzip")]
    [InlineData("Content-Encoding", "identity")]
    public async Task What_does_not_claim_to_be_JSON_is_415(string header, string value)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.PostEventAsync(Body, (header, value));

        reply.Problem(415, "unsupported_media_type", "Unsupported media type");
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Theory]
    [InlineData(262_145)]
    [InlineData(262_144 + 8192)]
    [InlineData(3_000_000)]
    public async Task A_payload_over_the_limit_is_413(int length)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.PostEventAsync("{\"type\":\"a\",\"payload\":{\"x\":\"" + new string('y', length - 8) + "\"}}");

        var problem = reply.Problem(413, "payload_too_large", "Payload too large", "limit_bytes");
        Assert.Equal(262_144, (int?)problem["limit_bytes"]);
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Theory]
    [InlineData("HEAD", "/api/events")]
    [InlineData("PUT", "/api/events")]
    [InlineData("GET", "/events")]
    [InlineData("PATCH", "/events")]
    public async Task Another_method_is_405_with_Allow(string method, string path)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.SendAsync(new HttpMethod(method), path, body: null, ("X-API-Key", tenant.Key));

        Assert.Equal(405, reply.Status);
        Assert.Equal("DELETE, OPTIONS, POST", reply.Headers["Allow"]);
        if (method == "HEAD") Assert.Empty(reply.Bytes);
        else reply.Problem(405, "method_not_allowed", "Method not allowed");
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);
}
