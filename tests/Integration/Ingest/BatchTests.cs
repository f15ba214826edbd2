using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

public sealed class PostgresBatchTests(PostgresBackedServer fixture) : BatchTests<PostgresBackedServer>(fixture);

public sealed class SqliteBatchTests(SqliteServer fixture) : BatchTests<SqliteServer>(fixture);

/// <summary>Many events in one request: each item has its own result, and what cannot be read at all leaves nothing behind.</summary>
public abstract class BatchTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    [Theory]
    [InlineData("/api/events/batch")]
    [InlineData("/events/batch")]
    public async Task Items_are_accepted_in_their_order(string path)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.PostAsync(path, Array(Enumerable.Range(0, 50).Select(number => Item($"t{number}", number))));

        Assert.Equal(200, reply.Status);
        Assert.Equal((50, 0, 0), Counts(reply));
        var results = Results(reply);
        Assert.Equal(Enumerable.Range(0, 50), results.Select(result => (int)result["index"]!));
        var inbox = await tenant.ReadInboxAsync();
        Assert.Equal(results.Select(result => (string?)result["id"]), inbox.Select(found => found.Id));
        Assert.Equal(Enumerable.Range(0, 50).Select(number => $$"""{"n": {{number}}}"""), inbox.Select(found => found.Payload));
        Assert.Equal(Enumerable.Range(0, 50).Select(number => $"t{number}"), inbox.Select(found => found.Type));
    }

    [Fact]
    public async Task One_bad_item_is_refused_alone()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        string[] items =
        [
            Item("good", 0),
            """{"type":"","payload":{}}""",
            "7",
            """{"type":"no payload"}""",
            """{"type":"a","payload":{"x":}}""",
            $$"""{"type":"a","payload":{"x":"{{new string('x', 262_144)}}"} }""",
            "",
            """{"type":"a","payload":[],"dedup_id":"d"}""",
            """{"type":"brackets ]} in, [{ \" text","payload":{"x":"]}, \\\"[{"},"dedup_id":"d"}""",
        ];

        var reply = await tenant.PostAsync("/api/events/batch", Array(items));

        Assert.Equal((2, 0, 7), Counts(reply));
        var results = Results(reply);
        Assert.Equal(
            ["accepted", "rejected", "rejected", "rejected", "rejected", "rejected", "rejected", "rejected", "accepted"],
            results.Select(result => (string?)result["status"]));
        Assert.Equal(
            [null, "invalid_field", "invalid_json", "missing_fields", "invalid_json", "payload_too_large", "invalid_json", "invalid_field", null],
            results.Select(result => (string?)result["code"]));
        Assert.Equal([null, "type", null, null, null, null, null, "payload", null], results.Select(result => (string?)result["field"]));
        Assert.All(results.Where(result => (string?)result["status"] == "rejected"), result => Assert.NotEmpty((string)result["message"]!));
        Assert.Equal(["""{"n": 0}""", """{"x":"]}, \\\"[{"}"""], (await tenant.ReadInboxAsync()).Select(found => found.Payload));
    }

    [Fact]
    public async Task Twins_in_a_batch_and_earlier_events_are_duplicates_of_the_first()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var earlier = (await tenant.PostEventAsync(Item("a", 1, "earlier"))).Accepted();

        var reply = await tenant.PostAsync(
            "/api/events/batch", Array(
                [Item("a", 2, "abc"), Item("a", 3, "xyz"), Item("a", 2, "abc"), Item("a", 1, "earlier"), Item("a", 9, "xyz")]));

        Assert.Equal((2, 2, 1), Counts(reply));
        var results = Results(reply);
        Assert.Equal(["accepted", "accepted", "duplicate", "duplicate", "rejected"], results.Select(result => (string?)result["status"]));
        Assert.Equal((string?)results[0]["id"], (string?)results[2]["event_id"]);
        Assert.Equal(earlier, (string?)results[3]["event_id"]);
        Assert.Equal(("idempotency_key_reused", (string?)results[1]["id"]), ((string?)results[4]["code"], (string?)results[4]["event_id"]));
        Assert.Equal(
            [earlier, (string?)results[0]["id"], (string?)results[1]["id"]], (await tenant.ReadInboxAsync()).Select(found => found.Id));
        Assert.Equal((0, 3, 0), Counts(
            await tenant.PostAsync("/api/events/batch", Array([Item("a", 2, "abc"), Item("a", 3, "xyz"), Item("a", 1, "earlier")]))));
    }

    [Fact]
    public async Task After_a_restart_the_store_knows_the_duplicates()
    {
        await using var server = await ServerUnderTest.StartAsync(fixture.Store);
        var tenant = await server.NewTenantAsync();
        var all = Enumerable.Range(0, 40).Select(number => Item("a", number, $"d{number}")).ToArray();
        var first = Results(await tenant.PostAsync("/api/events/batch", Array(all[..30])));
        await tenant.ReadInboxAsync(); // stored
        await server.StopAsync();
        await server.StartAsync();

        var reply = await tenant.PostAsync("/api/events/batch", Array(all));

        Assert.Equal((10, 30, 0), Counts(reply));
        Assert.Equal(first.Select(result => (string?)result["id"]), Results(reply).Take(30).Select(result => (string?)result["event_id"]));
        Assert.Equal(40, (await tenant.ReadInboxAsync()).Count);
    }

    [Fact]
    public async Task Items_past_the_rate_limit_are_refused_and_the_others_are_not()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await fixture.Server.SetLimitAsync(tenant, 3);

        var reply = await tenant.PostAsync(
            "/api/events/batch", Array(["1", .. Enumerable.Range(0, 5).Select(number => Item("a", number))]));
        var none = await tenant.PostAsync("/api/events/batch", Array([Item("a", 1)]));

        Assert.Equal((2, 0, 4), Counts(reply));
        Assert.Equal(
            ["invalid_json", null, null, "rate_limit_exceeded", "rate_limit_exceeded", "rate_limit_exceeded"],
            Results(reply).Select(result => (string?)result["code"]));
        Assert.Matches("^\"events\";r=0;t=\\d+$", reply.Headers["RateLimit"]);
        none.Problem(429, "rate_limit_exceeded", "Rate limit exceeded", "retry_after_seconds", "limit", "window");
        Assert.Equal(2, (await tenant.ReadInboxAsync()).Count);
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("application/jsonl; charset=utf-8")]
    public async Task Lines_are_items(string contentType)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var body = $"{Item("a", 1)}\r\n\n  {Item("b", 2)}  \nnot json\n{Item("c", 3)}";

        var reply = await SendAsync(tenant, body, contentType);

        Assert.Equal((3, 0, 1), Counts(reply));
        Assert.Equal(["accepted", "accepted", "rejected", "accepted"], Results(reply).Select(result => (string?)result["status"]));
        Assert.Equal(["a", "b", "c"], (await tenant.ReadInboxAsync()).Select(found => found.Type));
    }

    [Fact]
    public async Task A_thousand_items_and_no_more_are_taken()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var items = Enumerable.Range(0, 1001).Select(number => Item("a", number)).ToArray();

        var tooMany = await tenant.PostAsync("/api/events/batch", Array(items));
        var most = await tenant.PostAsync("/api/events/batch", Array(items[..1000]));

        tooMany.InvalidField("body");
        Assert.Equal((1000, 0, 0), Counts(most));
        Assert.Equal(1000, (await tenant.ReadInboxAsync()).Count);
    }

    [Fact]
    public async Task Four_mebibytes_are_taken_at_once_and_more_are_too_large()
    {
        await using var server = await ServerUnderTest.StartAsync(fixture.Store, "Journal:RingBytes=8388608");
        var tenant = await server.NewTenantAsync();
        var text = new string('x', 200_000);
        var body = Array(Enumerable.Range(0, 20).Select(_ => $$$"""{"type":"a","payload":{"x":"{{{text}}}"}}"""));
        var filled = body[..^1].PadRight((4 << 20) - 1) + "]";

        var taken = await tenant.PostAsync("/api/events/batch", filled);
        var tooLarge = await tenant.PostAsync("/api/events/batch", filled + " ");

        Assert.Equal((20, 0, 0), Counts(taken));
        Assert.Equal(4 << 20, (int)tooLarge.Problem(413, "payload_too_large", "Payload too large", "limit_bytes")["limit_bytes"]!);
        Assert.Equal(20, (await tenant.ReadInboxAsync()).Count);
    }

    [Fact]
    public async Task A_small_ring_takes_smaller_batches()
    {
        await using var server = await ServerUnderTest.StartAsync(fixture.Store, "Journal:RingBytes=1048576");
        var tenant = await server.NewTenantAsync();

        var tooLarge = await tenant.PostAsync("/api/events/batch", Array([Item("a", 1)]).PadRight(1 << 20));
        var most = (int)tooLarge.Problem(413, "payload_too_large", "Payload too large", "limit_bytes")["limit_bytes"]!;
        var text = new string('x', (most / 1000) - 40);
        for (var round = 0; round < 5; round++)
        {
            var items = Enumerable.Range(0, 1000).Select(_ => $$$"""{"type":"a","payload":{"x":"{{{text}}}"}}""");
            Assert.Equal((1000, 0, 0), Counts(await tenant.PostAsync("/api/events/batch", Array(items))));
        }

        Assert.Equal(5000, (await tenant.ReadInboxAsync()).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("{}")]
    [InlineData("[")]
    [InlineData("""[{"type":"a","payload":{}}""")]
    [InlineData("""[{"type":"a","payload":{}}]x""")]
    [InlineData("""[{"type":"a","payload":{}}],[]""")]
    [InlineData("""[{"type":"a","payload":{"x":"}]""")]
    [InlineData("\uFEFF[]")]
    public async Task A_body_that_is_no_list_leaves_nothing_behind(string body)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await SendAsync(tenant, body, "application/json")).InvalidJson();

        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task An_empty_list_is_nothing()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        Assert.Equal((0, 0, 0), Counts(await tenant.PostAsync("/api/events/batch", " [ ] ")));
    }

    [Fact]
    public async Task Other_media_types_and_a_key_for_all_are_refused()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var body = Encoding.UTF8.GetBytes(Array([Item("a", 1)]));

        var asText = await SendAsync(tenant, "[]", "text/plain");
        var withKey = await tenant.SendAsync(
            HttpMethod.Post, "/api/events/batch", body, ("X-API-Key", tenant.Key), ("Idempotency-Key", "k"));
        var anonymous = await tenant.SendAsync(HttpMethod.Post, "/api/events/batch", body);

        asText.Problem(415, "unsupported_media_type", "Unsupported media type");
        withKey.InvalidField("dedup_id");
        anonymous.Problem(401, "missing_api_key", "Missing API key");
        Assert.Equal(405, (await tenant.GetAsync("/api/events/batch")).Status);
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    private static Task<Reply> SendAsync(Tenant tenant, string body, string contentType) => tenant.SendAsync(
        HttpMethod.Post, "/api/events/batch", Encoding.UTF8.GetBytes(body), ("X-API-Key", tenant.Key), ("Content-Type", contentType));

    private static string Item(string type, int number, string? dedupId = null) =>
        $$"""{"type":"{{type}}","payload":{"n": {{number}}}{{(dedupId is null ? "" : $",\"dedup_id\":\"{dedupId}\"")}}}""";

    private static string Array(IEnumerable<string> items) => $"[{string.Join(" , ", items)}]";

    private static (int Accepted, int Duplicates, int Rejected) Counts(Reply reply)
    {
        Assert.True(reply.Status == 200, $"{reply.Status}: {reply.Text}");
        return ((int)reply.Json["accepted"]!, (int)reply.Json["duplicates"]!, (int)reply.Json["rejected"]!);
    }

    private static JsonObject[] Results(Reply reply) => [.. reply.Json["results"]!.AsArray().Select(result => result!.AsObject())];
}
