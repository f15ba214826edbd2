using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

public sealed class PostgresDedupTests(PostgresBackedServer fixture) : DedupTests<PostgresBackedServer>(fixture);

public sealed class SqliteDedupTests(SqliteServer fixture) : DedupTests<SqliteServer>(fixture);

/// <summary>Each dedup id is one event, whichever way it was given and however often it was sent.</summary>
public abstract class DedupTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    [Fact]
    public async Task A_repeat_is_409_and_names_the_first()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var id = (await tenant.PostEventAsync(WithId("d"))).Accepted();

        Assert.Equal(id, (await tenant.PostEventAsync(WithId("d"))).Duplicate());
        Assert.Equal(id, (await tenant.PostEventAsync("""{"dedup_id":"\u0064","payload":{"x":1},"type":"other"}""")).Duplicate());

        Assert.Equal((id, "d"), (Assert.Single(await tenant.ReadInboxAsync()) is var found ? (found.Id, found.DedupId) : default));
    }

    [Fact]
    public async Task Of_64_twins_at_once_one_is_accepted_and_all_others_name_it()
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => tenant.PostEventAsync(WithId("twin"))));

        var id = Assert.Single(replies, reply => reply.Status == 202).Accepted();
        Assert.All(replies.Where(reply => reply.Status != 202), reply => Assert.Equal(id, reply.Duplicate()));
        Assert.Equal(id, Assert.Single(await tenant.ReadInboxAsync()).Id);
    }

    [Fact]
    public async Task Another_organization_may_use_the_same_id()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var other = await fixture.Server.NewTenantAsync();

        var first = (await tenant.PostEventAsync(WithId("same"))).Accepted();
        var second = (await other.PostEventAsync(WithId("same"))).Accepted();

        Assert.NotEqual(first, second);
        Assert.Equal(second, (await other.PostEventAsync(WithId("same"))).Duplicate());
        Assert.Equal(second, Assert.Single(await other.ReadInboxAsync()).Id);
    }

    [Theory]
    [InlineData("""{"type":"a","payload":[],"dedup_id":"d"}""", "application/json", 422)]
    [InlineData("""{"type":"a","payload":{"x":1},"dedup_id":"d","ordering_key":1}""", "application/json", 422)]
    [InlineData("""{"type":"a","payload":{"x":1},"dedup_id":"d"}x""", "application/json", 400)]
    [InlineData("""{"type":"a","payload":{"x":1},"dedup_id":"d"}""", "text/plain", 415)]
    public async Task A_refused_request_claims_no_id(string bad, string contentType, int status)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        Assert.Equal(status, (await tenant.PostEventAsync(bad, ("Content-Type", contentType), ("Idempotency-Key", "d"))).Status);

        (await tenant.PostEventAsync(WithId("d"))).Accepted();
    }

    [Theory]
    [InlineData("key-1", "key-1")]
    [InlineData("key-1", "\"key-1\"")]
    [InlineData("\"with \\\"quotes\\\" and \\\\\"", "\"with \\\"quotes\\\" and \\\\\"")]
    public async Task A_repeated_header_is_answered_like_the_first(string first, string second)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var id = (await tenant.PostEventAsync(WithoutId, ("Idempotency-Key", first))).Accepted();

        var replayed = await tenant.PostEventAsync(WithoutId, ("Idempotency-Key", second));

        Assert.Equal(id, replayed.Accepted());
        Assert.Equal("true", replayed.Headers["Idempotency-Replayed"]);
        Assert.Single(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task Header_and_body_name_the_same_id()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var first = await tenant.PostEventAsync(WithoutId, ("Idempotency-Key", "k"));
        Assert.DoesNotContain("Idempotency-Replayed", first.Headers.Keys);

        Assert.Equal(first.Accepted(), (await tenant.PostEventAsync(WithId("k"))).Duplicate());
        Assert.Equal(first.Accepted(), (await tenant.PostEventAsync(WithId("k"), ("Idempotency-Key", "k"))).Accepted());

        Assert.Equal("k", Assert.Single(await tenant.ReadInboxAsync()).DedupId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_id_with_another_payload_is_422(bool asHeader)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var id = (await tenant.PostEventAsync(WithId("k"))).Accepted();

        var reply = asHeader
            ? await tenant.PostEventAsync("""{"type":"a","payload":{"x":2}}""", ("Idempotency-Key", "k"))
            : await tenant.PostEventAsync("""{"type":"a","payload":{"x":2},"dedup_id":"k"}""");

        var problem = reply.Problem(422, "idempotency_key_reused", "Idempotency key reused", "event_id");
        Assert.Equal(id, (string?)problem["event_id"]);
        Assert.Single(await tenant.ReadInboxAsync());
    }

    [Theory]
    [InlineData("k2")]
    [InlineData("\"k")]
    [InlineData("\"k\" x")]
    public async Task A_header_that_differs_or_is_badly_quoted_is_422(string header)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostEventAsync(WithId("k"), ("Idempotency-Key", header))).InvalidField("dedup_id");

        (await tenant.PostEventAsync(WithId("k"))).Accepted();
    }

    [Fact]
    public async Task A_header_has_at_most_255_characters()
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostEventAsync(WithoutId, ("Idempotency-Key", new string('k', 256)))).InvalidField("dedup_id");
        (await tenant.PostEventAsync(WithoutId, ("Idempotency-Key", new string('k', 255)))).Accepted();
    }

    private const string WithoutId = """{"type":"a","payload":{"x":1}}""";

    private static string WithId(string id) => $$"""{"type":"a","payload":{"x":1},"dedup_id":"{{id}}"}""";
}
