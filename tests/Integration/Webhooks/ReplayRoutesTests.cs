using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class PostgresReplayRoutesTests(PostgresThreeTries fixture) : ReplayRoutesTests<PostgresThreeTries>(fixture);

public sealed class SqliteReplayRoutesTests(SqliteThreeTries fixture) : ReplayRoutesTests<SqliteThreeTries>(fixture);

/// <summary>A server whose webhooks are tried three times within some 50 ms.</summary>
public abstract class ThreeTries(StoreKind store) : IAsyncLifetime
{
    internal ServerUnderTest Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ServerUnderTest.StartAsync(store, "Delivery:RetrySchedule=20ms,20ms");

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Server is not null) await Server.DisposeAsync();
    }
}

public sealed class SqliteThreeTries() : ThreeTries(StoreKind.Sqlite);

public sealed class PostgresThreeTries() : ThreeTries(StoreKind.Postgres);

/// <summary>Dead letters and replays over real sockets, to real receivers.</summary>
public abstract class ReplayRoutesTests<T>(T fixture) : IClassFixture<T>
    where T : ThreeTries
{
    [Fact]
    public async Task Each_replay_sends_under_the_same_id()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await NewTenantAsync(receiver);
        var id = await PostAsync(tenant);
        await Poll.UntilAsync(() => receiver.CountOf(id) == 1, "the first");

        for (var i = 0; i < 2; i++) AssertReplayed(id, 1, await tenant.PostAsync($"/api/events/{id}/replay"));

        await SettledAsync(tenant, id, 3);
        Assert.Equal([id, id, id], receiver.Requests.Select(request => request.Id));
        var seen = await EventAsync(tenant, id);
        Assert.Equal("delivered", (string?)seen["status"]);
        Assert.Equal([1, 2, 3], NumbersOf(seen));
    }

    [Fact]
    public async Task Dead_letters_are_listed_and_all_sent_once_when_the_receiver_is_mended()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(403);
        var tenant = await NewTenantAsync(receiver);
        var ids = await PostDeadAsync(tenant, 4);
        Assert.All(ids, id => Assert.Equal(3, receiver.CountOf(id)));

        var listed = (await tenant.GetAsync("/api/dead-letters?limit=3")).Json;
        Assert.Equal(["dead_letters", "next_cursor", "has_more", "count", "limit"], listed.Select(pair => pair.Key));
        var first = listed["dead_letters"]![0]!.AsObject();
        Assert.Equal(
            ["event_id", "endpoint_id", "url", "type", "attempts", "response_status", "error", "failed_at", "created_at"],
            first.Select(pair => pair.Key));
        Assert.Equal((3, 403, receiver.Url), ((int)first["attempts"]!, (int)first["response_status"]!, (string)first["url"]!));
        Assert.Equal((3, true), ((int)listed["count"]!, (bool)listed["has_more"]!));
        var rest = (await tenant.GetAsync($"/api/dead-letters?cursor={(string)listed["next_cursor"]!}")).Json;
        Assert.Equal(ids.Reverse(), IdsOf(listed).Concat(IdsOf(rest)));
        Assert.Equal(0, (int)(await tenant.GetAsync("/api/dead-letters?error=no+such")).Json["count"]!);
        Assert.Equal(4, (int)(await tenant.GetAsync("/api/dead-letters?error=403&type=t")).Json["count"]!);

        Assert.Equal("""{"matched":4}""", (await tenant.PostAsync("/api/dead-letters/replay", """{"dry_run": true}""")).Text);
        receiver.Answer = Status(200);
        var begun = await tenant.PostAsync("/api/dead-letters/replay", """{"rate_per_second": 1000}""");
        Assert.Equal((202, 4), (begun.Status, (int)begun.Json["matched"]!));
        await DeliveredAsync(tenant, ids);

        Assert.All(ids, id => Assert.Equal(4, receiver.CountOf(id)));
        var job = (await tenant.GetAsync($"/api/replays/{(string)begun.Json["replay_id"]!}")).Json;
        Assert.Equal(("finished", 4, 4), ((string)job["status"]!, (int)job["matched"]!, (int)job["queued"]!));
        Assert.NotNull(job["finished_at"]);
        Assert.Equal((string?)job["id"], (string?)(await tenant.GetAsync("/api/replays")).Json["replays"]![0]!["id"]);
        Assert.Equal(0, (int)(await tenant.GetAsync("/api/dead-letters")).Json["count"]!);
    }

    [Fact]
    public async Task A_replayed_dead_letter_gets_the_whole_schedule_again()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(403);
        var tenant = await NewTenantAsync(receiver);
        var id = (await PostDeadAsync(tenant, 1))[0];

        AssertReplayed(id, 1, await tenant.PostAsync($"/api/dead-letters/{id}/replay"));
        await Poll.UntilAsync(() => receiver.CountOf(id) == 6, "three more tries");
        await Poll.UntilAsync(async () => (string?)(await EventAsync(tenant, id))["status"] == "dead_letter", "dead again");

        var seen = await EventAsync(tenant, id);
        Assert.Equal(6, (int)seen["attempts"]!);
        Assert.Equal(Enumerable.Range(1, 6), NumbersOf(seen));
        AssertReplayed(id, 1, await tenant.PostAsync($"/api/dead-letters/{id}/replay", $$"""{"endpoint_id":"{{(string)seen["deliveries"]![0]!["endpoint_id"]!}}"}"""));
        await Poll.UntilAsync(() => receiver.CountOf(id) == 9, "three more tries");
    }

    [Fact]
    public async Task A_failed_replay_of_a_delivered_event_is_not_tried_again()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await NewTenantAsync(receiver);
        var id = await PostAsync(tenant);
        await DeliveredAsync(tenant, [id]);
        receiver.Answer = Status(500);

        AssertReplayed(id, 1, await tenant.PostAsync($"/api/events/{id}/replay"));
        await SettledAsync(tenant, id, 2);
        receiver.Answer = Status(200);
        AssertReplayed(id, 1, await tenant.PostAsync($"/api/events/{id}/replay"));
        await SettledAsync(tenant, id, 3);

        Assert.Equal((3, "delivered"), (receiver.CountOf(id), (string)(await EventAsync(tenant, id))["status"]!));
    }

    [Fact]
    public async Task An_event_of_before_the_endpoint_and_an_acknowledged_one_are_sent_when_asked_for()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var (early, acknowledged) = (await PostAsync(tenant), await PostAsync(tenant));
        (await tenant.PostAsync($"/api/events/{early}/replay")).Problem(409, "no_endpoint", "No endpoint");
        Assert.Equal(200, (await tenant.PostAsync($"/api/ack/{acknowledged}")).Status);
        await using var receiver = await Receiver.StartAsync();
        await tenant.SetWebhookAsync(receiver.Url);

        foreach (var id in (string[])[early, acknowledged]) AssertReplayed(id, 1, await tenant.PostAsync($"/api/events/{id}/replay"));

        await Poll.UntilAsync(() => receiver.CountOf(early) == 1 && receiver.CountOf(acknowledged) == 1, "both");
        await DeliveredAsync(tenant, [early, acknowledged]);
    }

    [Fact]
    public async Task A_recovery_sends_what_an_endpoint_has_missed()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var early = await PostAsync(tenant);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(500);
        await tenant.SetWebhookAsync(receiver.Url);
        var dead = (await PostDeadAsync(tenant, 2)).ToList();
        receiver.Answer = Status(200);
        var delivered = await PostAsync(tenant);
        await DeliveredAsync(tenant, [delivered]);
        var endpoint = (string)(await EventAsync(tenant, dead[0]))["deliveries"]![0]!["endpoint_id"]!;
        var since = $$"""{"since":"{{DateTimeOffset.UtcNow.AddHours(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}}" """;

        Assert.Equal("""{"matched":3}""", (await tenant.PostAsync($"/api/endpoints/{endpoint}/recover", since + """,  "dry_run": true}""")).Text);
        var begun = await tenant.PostAsync($"/api/endpoints/{endpoint}/recover", since + "}");
        Assert.Equal((202, 3), (begun.Status, (int)begun.Json["matched"]!));

        await DeliveredAsync(tenant, [early, .. dead]);
        Assert.Equal((1, 1), (receiver.CountOf(early), receiver.CountOf(delivered)));
        Assert.Equal("""{"matched":0}""", (await tenant.PostAsync($"/api/endpoints/{endpoint}/recover", since + """,  "dry_run": true}""")).Text);
    }

    [Fact]
    public async Task A_job_goes_on_after_a_restart()
    {
        await using var server = await ServerUnderTest.StartAsync(
            fixture is SqliteThreeTries ? StoreKind.Sqlite : StoreKind.Postgres, "Delivery:RetrySchedule=,");
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(400);
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        var ids = await PostDeadAsync(tenant, 5);
        receiver.Answer = Status(200);

        Assert.Equal(202, (await tenant.PostAsync("/api/dead-letters/replay", """{"rate_per_second": 5}""")).Status);
        await server.StopAsync();
        await server.StartAsync();

        await DeliveredAsync(tenant, ids);
        Assert.All(ids, id => Assert.InRange(receiver.CountOf(id), 2, 3));
    }

    [Fact]
    public async Task What_is_not_there_is_404()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var id = await PostAsync(tenant);
        var none = Guid.NewGuid();

        foreach (var unknown in (string[])["x", none.ToString()])
        {
            (await tenant.PostAsync($"/api/events/{unknown}/replay")).Problem(404, "event_not_found", "Event not found");
            (await tenant.PostAsync($"/api/dead-letters/{unknown}/replay")).Problem(404, "dead_letter_not_found", "Dead letter not found");
            (await tenant.GetAsync($"/api/replays/{unknown}")).Problem(404, "replay_not_found", "Replay not found");
            (await tenant.PostAsync($"/api/endpoints/{unknown}/recover", """{"since":"2026-01-01T00:00:00Z"}""")).Problem(404, "endpoint_not_found", "Endpoint not found");
        }

        (await tenant.PostAsync($"/api/dead-letters/{id}/replay")).Problem(404, "dead_letter_not_found", "Dead letter not found");
        (await tenant.PostAsync($"/api/events/{id}/replay", $$"""{"endpoint_id":"{{none}}"}""")).Problem(404, "endpoint_not_found", "Endpoint not found");
    }

    [Theory]
    [InlineData("limit", "0")]
    [InlineData("limit", "1001")]
    [InlineData("limit", "1&limit=2")]
    [InlineData("endpoint_id", "x")]
    [InlineData("cursor", "x.y")]
    [InlineData("since", "yesterday")]
    [InlineData("since", "2026-01-01")]
    [InlineData("since", "2026-01-01T00:00:00")]
    [InlineData("until", "2026-01-01T00:00:00Z&since=2026-01-01T00:00:00Z")]
    [InlineData("type", "a%00b")]
    [InlineData("error", "a%00b")]
    public async Task A_bad_value_of_the_list_is_422(string name, string value) =>
        (await (await fixture.Server.NewTenantAsync()).GetAsync($"/api/dead-letters?{name}={value}")).InvalidField(name);

    [Theory]
    [InlineData("rate_per_second", "0")]
    [InlineData("rate_per_second", "1001")]
    [InlineData("rate_per_second", "1.5")]
    [InlineData("rate_per_second", "\"9\"")]
    [InlineData("dry_run", "1")]
    [InlineData("event_ids", "[]")]
    [InlineData("event_ids", "[\"x\"]")]
    [InlineData("event_ids", "\"x\"")]
    [InlineData("endpoint_id", "5")]
    [InlineData("since", "5")]
    [InlineData("type", "\"a\\u0000\"")]
    [InlineData("until", "\"2026-01-01T00:00:00Z\", \"since\": \"2026-01-01T01:00:00+01:00\"")]
    public async Task A_bad_field_of_a_replay_is_422(string name, string value) =>
        (await (await fixture.Server.NewTenantAsync()).PostAsync("/api/dead-letters/replay", $$"""{"{{name}}": {{value}}}""")).InvalidField(name);

    [Fact]
    public async Task A_body_must_be_an_object_and_a_recovery_must_say_since_when()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await NewTenantAsync(receiver);
        var id = await PostAsync(tenant);
        await DeliveredAsync(tenant, [id]);
        var endpoint = (string)(await EventAsync(tenant, id))["deliveries"]![0]!["endpoint_id"]!;

        (await tenant.PostAsync("/api/dead-letters/replay", "[]")).InvalidJson();
        (await tenant.PostAsync($"/api/events/{id}/replay", "nonsense")).InvalidJson();
        (await tenant.PostAsync($"/api/events/{id}/replay", """{"endpoint_id": 1}""")).InvalidField("endpoint_id");
        (await tenant.PostAsync($"/api/endpoints/{endpoint}/recover", "{}")).InvalidField("since");
        (await tenant.SendAsync(HttpMethod.Get, "/api/dead-letters/replay", null, ("X-API-Key", tenant.Key))).Problem(
            405, "method_not_allowed", "Method not allowed");
        (await tenant.SendAsync(HttpMethod.Get, "/api/dead-letters", null)).Problem(401, "missing_api_key", "Missing API key");
    }

    private async Task<Tenant> NewTenantAsync(Receiver receiver)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        return tenant;
    }

    private static async Task<string> PostAsync(Tenant tenant) => (await tenant.PostEventAsync("""{"type":"t","payload":{}}""")).Accepted();

    /// <summary>Sends events and waits until they are dead letters.</summary>
    private static async Task<string[]> PostDeadAsync(Tenant tenant, int count)
    {
        var ids = new string[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = await PostAsync(tenant);
            await Poll.UntilAsync(async () => (string?)(await EventAsync(tenant, ids[i]))["status"] == "dead_letter", $"dead letter {i}");
        }

        return ids;
    }

    private static Task DeliveredAsync(Tenant tenant, IReadOnlyList<string> ids) => Poll.UntilAsync(
        async () =>
        {
            foreach (var id in ids)
            {
                var seen = await EventAsync(tenant, id);
                if ((string?)seen["status"] != "delivered" || seen["deliveries"]!.AsArray().Any(one => one!["next_attempt_at"] is not null))
                    return false;
            }

            return true;
        },
        "all delivered");

    /// <summary>Waits until so many tries are counted and none is under way or waited for.</summary>
    private static Task SettledAsync(Tenant tenant, string id, int attempts) => Poll.UntilAsync(
        async () => await EventAsync(tenant, id) is var seen && (int)seen["attempts"]! == attempts
            && seen["deliveries"]!.AsArray().All(one => one!["next_attempt_at"] is null),
        $"{attempts} tries");

    private static async Task<JsonObject> EventAsync(Tenant tenant, string id) => (await tenant.GetAsync($"/api/events/{id}")).Json;

    private static IEnumerable<int> NumbersOf(JsonObject seen) =>
        seen["deliveries"]![0]!["attempts"]!.AsArray().Select(one => (int)one!["number"]!);

    private static IEnumerable<string> IdsOf(JsonObject page) => page["dead_letters"]!.AsArray().Select(one => (string)one!["event_id"]!);

    private static void AssertReplayed(string id, int count, Reply reply) => Assert.Equal(
        (202, $$"""{"event_id":"{{id}}","replayed":{{count.ToString(CultureInfo.InvariantCulture)}}}"""), (reply.Status, reply.Text));

    private static Func<HttpContext, Received, Task> Status(int status) => (context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };
}
