using System.Globalization;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

public sealed class PostgresRateLimitTests(PostgresBackedServer fixture) : RateLimitTests<PostgresBackedServer>(fixture);

public sealed class SqliteRateLimitTests(SqliteServer fixture) : RateLimitTests<SqliteServer>(fixture);

/// <summary>The rate limit as a client sees it.</summary>
public abstract class RateLimitTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Body = """{"type":"a","payload":{}}""";

    [Fact]
    public async Task Every_answer_says_what_is_left_and_one_refused_later_has_used_its_turn()
    {
        var tenant = await fixture.Server.NewTenantAsync("free");
        Reply[] replies =
        [
            await tenant.PostEventAsync(Body),
            await tenant.PostEventAsync("{"),
            await tenant.PostEventAsync("{}"),
            await tenant.PostEventAsync("""{"type":"","payload":{}}"""),
            await tenant.PostEventAsync(Body, ("Content-Type", "text/plain")),
            await tenant.PostEventAsync(new byte[300_000]),
            await tenant.PostEventAsync("""{"type":"a","payload":{},"dedup_id":"d"}"""),
            await tenant.PostEventAsync("""{"type":"a","payload":{},"dedup_id":"d"}"""),
            await tenant.PostEventAsync("""{"type":"a","payload":{"x":1},"dedup_id":"d"}"""),
        ];

        Assert.Equal([202, 400, 400, 422, 415, 413, 202, 409, 422], replies.Select(reply => reply.Status));
        Assert.All(replies, reply => Assert.Equal("\"events\";q=100;w=60", reply.Headers["RateLimit-Policy"]));
        Assert.All(replies.Index(), reply => Assert.Matches($"^\"events\";r={99 - reply.Index};t=\\d+$", reply.Item.Headers["RateLimit"]));
    }

    [Fact]
    public async Task Past_the_limit_it_is_429_and_other_calls_go_on()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await fixture.Server.SetLimitAsync(tenant, 3);
        for (var i = 0; i < 3; i++) (await tenant.PostEventAsync(Body)).Accepted();

        var before = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var reply = await tenant.PostEventAsync(Body);

        var problem = reply.Problem(429, "rate_limit_exceeded", "Rate limit exceeded", "retry_after_seconds", "limit", "window");
        Assert.Equal((3, 60), ((int)problem["limit"]!, (int)problem["window"]!));
        var retryAfter = (int)problem["retry_after_seconds"]!;
        Assert.InRange(retryAfter, 1, 65);
        Assert.Equal(("3", "0"), (reply.Headers["X-RateLimit-Limit"], reply.Headers["X-RateLimit-Remaining"]));
        Assert.True(long.Parse(reply.Headers["X-RateLimit-Reset"], CultureInfo.InvariantCulture) >= before + retryAfter);
        Assert.Equal("\"events\";q=3;w=60", reply.Headers["RateLimit-Policy"]);
        Assert.Equal($"\"events\";r=0;t={retryAfter}", reply.Headers["RateLimit"]);
        Assert.Equal(3, (await tenant.ReadInboxAsync()).Count);
        Assert.Equal(200, (await tenant.GetAsync("/api/keys")).Status);
    }

    [Fact]
    public async Task A_wrong_key_uses_no_turn_and_another_organization_has_its_own()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var other = await fixture.Server.NewTenantAsync();
        await fixture.Server.SetLimitAsync(tenant, 1);
        await fixture.Server.SetLimitAsync(other, 1);

        Assert.Equal(401, (await tenant.SendAsync(HttpMethod.Post, "/api/events", [], ("X-API-Key", tenant.Key[..^1]))).Status);
        (await tenant.PostEventAsync(Body)).Accepted();
        Assert.Equal(429, (await tenant.PostEventAsync(Body)).Status);
        (await other.PostEventAsync(Body)).Accepted();
    }
}
