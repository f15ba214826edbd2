using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

public sealed class PostgresAcceptedTests(PostgresBackedServer fixture) : AcceptedTests<PostgresBackedServer>(fixture);

public sealed class SqliteAcceptedTests(SqliteServer fixture) : AcceptedTests<SqliteServer>(fixture);

/// <summary>What is taken: paths, credentials, aliases, media types, sizes.</summary>
public abstract class AcceptedTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Body = """{"type":"user.created","payload":{"user_id":"12345"}}""";

    [Theory]
    [InlineData("/api/events")]
    [InlineData("/events")]
    public async Task Both_paths_and_both_credentials_take_an_event(string path)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var byKey = await tenant.SendAsync(HttpMethod.Post, path, "{\"type\":\"a\",\"payload\":{}}"u8.ToArray(), ("X-API-Key", tenant.Key));
        var byBearer = await tenant.SendAsync(
            HttpMethod.Post, path, "{\"type\":\"b\",\"payload\":{}}"u8.ToArray(), ("Authorization", $"Bearer {tenant.Key}"));

        Assert.Equal([byKey.Accepted(), byBearer.Accepted()], (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    [Theory]
    [InlineData("/api/inbox")]
    [InlineData("/inbox")]
    public async Task The_inbox_shows_it_on_both_paths(string path)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var id = (await tenant.PostEventAsync(Body)).Accepted();

        var found = (JsonObject)Assert.Single((await tenant.GetAsync(path)).Json["events"]!.AsArray())!;

        Assert.Equal(id, (string?)found["id"]);
        Assert.Equal(("user.created", "user.created"), ((string?)found["type"], (string?)found["event_type"]));
        Assert.Equal(("pending", "pending", 0), ((string?)found["status"], (string?)found["delivery_status"], (int?)found["attempts"]));
        Assert.Null(found["dedup_id"]);
    }

    [Theory]
    [InlineData("""{"type":"a","data":{"x":1}}""")]
    [InlineData("""{"type":"a","data":{"x":1},"payload":{"x":1}}""")]
    [InlineData("""{"type":"a","payload":{"x":1},"dedup_id":null,"ordering_key":null}""")]
    [InlineData("""{"type":"a","payload":{"x":1},"dedup_id":"","ordering_key":""}""")]
    [InlineData("""{"more":[1,{"type":2}],"ordering_key":"k","payload":{"x":1},"\u0074ype":"\u0061"}""")]
    public async Task Each_spelling_of_the_fields_is_the_same_event(string body)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostEventAsync(body)).Accepted();

        var found = Assert.Single(await tenant.ReadInboxAsync());
        Assert.Equal(("a", """{"x":1}""", null), (found.Type, found.Payload, found.DedupId));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("APPLICATION/JSON;charset=\"UTF-8\"")]
    [InlineData("text/json")]
    [InlineData("application/vnd.acme+json")]
    [InlineData(null)]
    public async Task Media_types_that_are_JSON_are_taken(string? contentType)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostEventAsync(Body, ("Content-Type", contentType))).Accepted();
    }

    [Fact]
    public async Task A_payload_of_exactly_the_limit_is_taken_and_listed_whole()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var payload = $$"""{"x":"{{new string('y', 262_144 - 8)}}"}""";
        Assert.Equal(262_144, payload.Length);

        (await tenant.PostEventAsync($$"""{"type":"a","payload":{{payload}}}""")).Accepted();

        Assert.Equal(payload, Assert.Single(await tenant.ReadInboxAsync()).Payload);
    }

    [Theory]
    [InlineData("my-request-1", true)]
    [InlineData("~!", true)]
    [InlineData("two words", false)]
    [InlineData("käse", false)]
    public async Task A_sane_request_id_comes_back_and_another_is_replaced(string given, bool isSane)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var taken = await tenant.PostEventAsync(Body, ("X-Request-Id", given));
        var refused = await tenant.PostEventAsync("{", ("X-Request-Id", given));

        foreach (var reply in new[] { taken, refused })
        {
            Assert.Equal(isSane, reply.Headers["X-Request-Id"] == given);
            Assert.Matches("^[!-~]{1,128}$", reply.Headers["X-Request-Id"]);
        }
    }

    [Fact]
    public async Task A_request_without_an_id_or_with_one_too_long_gets_ours()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var longest = new string('r', 128);

        var echoed = await tenant.PostEventAsync(Body, ("X-Request-Id", longest));
        var tooLong = await tenant.PostEventAsync(Body, ("X-Request-Id", longest + "r"));
        var none = await tenant.PostEventAsync(Body);

        Assert.Equal(longest, echoed.Headers["X-Request-Id"]);
        Assert.Matches("^[0-9a-z]{13}$", tooLong.Headers["X-Request-Id"]);
        Assert.Matches("^[0-9a-z]{13}$", none.Headers["X-Request-Id"]);
        Assert.NotEqual(tooLong.Headers["X-Request-Id"], none.Headers["X-Request-Id"]);
    }
}
