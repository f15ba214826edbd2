using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>How endpoints are said to be, what their organizations are told, and what becomes of events that were held.</summary>
public sealed class EndpointHealthTests
{
    private const string Path = "/api/endpoints";

    private static readonly string[] Quick =
        ["Delivery:RetrySchedule=50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,10s,10s,10s", "Delivery:FailingAfter=1s"];

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task One_that_fails_backs_off_and_its_organization_is_told_also_of_its_recovery(StoreKind store)
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(500);
        await using var server = await ServerUnderTest.StartAsync(store, Quick);
        var tenant = await server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver.Url);
        Assert.Equal(("active", null), await HealthAsync(tenant, id));

        await tenant.PostEventAsync("""{"type":"a","payload":{}}""");
        await Poll.UntilAsync(async () => (await HealthAsync(tenant, id)).State == "backing_off", "backing off");
        var health = (await tenant.GetAsync($"{Path}/{id}")).Json["health"]!;
        Assert.True((int)health["failures_in_a_row"]! >= 10);
        Assert.NotNull(health["failing_since"]);
        Assert.Contains("500", (string)health["last_error"]!, StringComparison.Ordinal);
        Assert.Contains("500", (string)health["reason"]!, StringComparison.Ordinal);
        var failing = await ToldAsync(tenant, "endpoint.failing");
        Assert.Equal((id, receiver.Url), ((string)failing["endpoint_id"]!, (string)failing["url"]!));
        Assert.NotNull(failing["disables_at"]);

        receiver.Answer = Status(200);
        var recovered = await ToldAsync(tenant, "endpoint.recovered");
        Assert.Equal(id, (string?)recovered["endpoint_id"]);
        Assert.Equal(("active", null), await HealthAsync(tenant, id));
        Assert.Equal(0, (int)(await tenant.GetAsync($"{Path}/{id}")).Json["health"]!["failures_in_a_row"]!);

        // Never about themselves: nothing of that was sent to the endpoint.
        Assert.Single(receiver.Requests.Select(request => request.Id).Distinct(StringComparer.Ordinal));
        Assert.Equal(["a", "endpoint.failing", "endpoint.recovered"], (await tenant.ReadInboxAsync()).Select(found => found.Type));
    }

    [Fact]
    public async Task A_restart_does_not_forget_since_when_it_fails()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(500);
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, Quick);
        var tenant = await server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver.Url);
        await tenant.PostEventAsync("""{"type":"a","payload":{}}""");
        await ToldAsync(tenant, "endpoint.failing");
        var since = (string?)(await tenant.GetAsync($"{Path}/{id}")).Json["health"]!["failing_since"];

        await server.StopAsync();
        await server.StartAsync();

        Assert.Equal(since, (string?)(await tenant.GetAsync($"{Path}/{id}")).Json["health"]!["failing_since"]);
        receiver.Answer = Status(200);
        await ToldAsync(tenant, "endpoint.recovered");
        Assert.Equal(["a", "endpoint.failing", "endpoint.recovered"], (await tenant.ReadInboxAsync()).Select(found => found.Type));
    }

    [Fact]
    public async Task One_that_fails_for_too_long_is_disabled_and_what_it_missed_goes_out_in_order_when_it_is_enabled()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(503);
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, [.. Quick, "Delivery:DisableAfter=3s", "Delivery:MaxInFlightPerEndpoint=1", "Delivery:CatchUpPerSecond=50"]);
        var tenant = await server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver.Url);
        await tenant.PostEventAsync("""{"type":"first","payload":{}}""");

        var disabled = await ToldAsync(tenant, "endpoint.disabled");
        Assert.Equal(id, (string?)disabled["endpoint_id"]);
        var (state, reason) = await HealthAsync(tenant, id);
        Assert.Equal("disabled", state);
        Assert.StartsWith("No try has succeeded since", reason, StringComparison.Ordinal);
        Assert.Equal((string?)disabled["reason"], reason);

        receiver.Answer = Status(200);
        var tried = receiver.Requests.Count;
        var held = new List<string>();
        for (var i = 0; i < 120; i++) held.Add((await tenant.PostEventAsync("""{"type":"held","payload":{}}""")).Accepted());
        Assert.Equal(tried, receiver.Requests.Count);
        Assert.Equal(200, (await tenant.PatchAsync($"{Path}/{id}", """{"enabled":true}""")).Status);

        await Poll.UntilAsync(() => held.TrueForAll(one => receiver.CountOf(one) == 1), "what was held");
        Assert.Equal(held, receiver.Requests.Skip(tried).Select(request => request.Id).Where(held.Contains));
        Assert.Equal(("active", null), await HealthAsync(tenant, id));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_disabled_and_that_is_told()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(410);
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, Quick);
        var tenant = await server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver.Url);

        await tenant.PostEventAsync("""{"type":"a","payload":{}}""");

        Assert.Contains("410", (string)(await ToldAsync(tenant, "endpoint.disabled"))["reason"]!, StringComparison.Ordinal);
        Assert.Equal(("disabled", "The receiver answered 410 Gone."), await HealthAsync(tenant, id));
    }

    [Fact]
    public async Task One_that_asks_for_a_pause_is_paused()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.Headers.RetryAfter = "3600";
            context.Response.StatusCode = 429;
            return Task.CompletedTask;
        };
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, Quick);
        var tenant = await server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver.Url);

        await tenant.PostEventAsync("""{"type":"a","payload":{}}""");

        await Poll.UntilAsync(async () => (await HealthAsync(tenant, id)).State == "paused", "paused");
        var health = (await tenant.GetAsync($"{Path}/{id}")).Json["health"]!;
        Assert.True((DateTimeOffset)health["resumes_at"]! > TimeProvider.System.GetUtcNow().AddMinutes(50));
        Assert.Contains("429", (string)health["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_are_told_to_the_inbox_and_to_other_endpoints_but_not_those_of_what_is_told()
    {
        await using var broken = await Receiver.StartAsync();
        await using var other = await Receiver.StartAsync();
        (broken.Answer, other.Answer) = (Status(400), Status(400));
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, "Delivery:RetrySchedule=50ms");
        var tenant = await server.NewTenantAsync();
        var brokenId = await MakeAsync(tenant, broken.Url);
        await MakeAsync(tenant, other.Url, """, "event_types":["event.*"]""");

        var id = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();

        var told = await ToldAsync(tenant, "event.dead_letter");
        Assert.Equal((id, "a", brokenId, 2, 400), (
            (string)told["event_id"]!, (string)told["event_type"]!, (string)told["endpoint_id"]!, (int)told["attempts"]!,
            (int)told["last_status"]!));
        Assert.NotEmpty((string)told["last_error"]!);
        var dead = (await tenant.ReadInboxAsync()).Single(found => found.Type == "event.dead_letter").Id;
        await Poll.UntilAsync(
            async () =>
                (string?)(await tenant.GetAsync($"/api/events/{dead}")).Json["status"] == "dead_letter", "that it cannot be told there");

        Assert.Equal(2, other.CountOf(dead));
        Assert.All(broken.Requests, request => Assert.Equal(id, request.Id));
        Assert.Equal(["a", "event.dead_letter"], (await tenant.ReadInboxAsync()).Select(found => found.Type));
        var deliveries = (await tenant.GetAsync($"/api/events/{dead}")).Json["deliveries"]!.AsArray();
        Assert.Equal("it is about this endpoint", (string?)deliveries.Single(one => (string?)one!["endpoint_id"] == brokenId)!["reason"]);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task A_failed_replay_of_what_was_delivered_makes_no_dead_letter(StoreKind store)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(store, "Delivery:RetrySchedule=,");
        var tenant = await server.NewTenantAsync();
        await MakeAsync(tenant, receiver.Url);
        var id = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        await Poll.UntilAsync(
            async () => (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"] == "delivered", "the first send");

        receiver.Answer = Status(400);
        Assert.Equal(202, (await tenant.PostAsync($"/api/events/{id}/replay")).Status);
        await Poll.UntilAsync(async () => (int)(await tenant.GetAsync($"/api/events/{id}")).Json["attempts"]! == 2, "the replay");
        var dead = (await tenant.PostEventAsync("""{"type":"b","payload":{}}""")).Accepted();
        var told = await ToldAsync(tenant, "event.dead_letter");

        Assert.Equal(dead, (string?)told["event_id"]);
        Assert.Equal("delivered", (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"]);
        await Poll.UntilAsync(
            async () => (await tenant.GetAsync("/metrics")).Text.Split('\n').Any(line => line.StartsWith("zapier_webhooks_dead_letters_total", StringComparison.Ordinal) && line.EndsWith(" 1", StringComparison.Ordinal)),
            "one dead letter counted");
    }

    [Fact]
    public async Task Nothing_is_told_where_that_is_switched_off_and_a_producers_event_of_such_a_type_is_like_any_other()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, "Delivery:RetrySchedule=50ms", "Delivery:OperationalEvents=false");
        var tenant = await server.NewTenantAsync();
        await MakeAsync(tenant, receiver.Url);

        var own = (await tenant.PostEventAsync("""{"type":"event.dead_letter","payload":{}}""")).Accepted();
        await Poll.UntilAsync(() => receiver.CountOf(own) == 1, "the producer's event");
        receiver.Answer = Status(400);
        var id = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        await Poll.UntilAsync(
            async () => (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"] == "dead_letter", "the dead letter");

        Assert.Equal([own, id], (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    private static Func<HttpContext, Received, Task> Status(int status) => (context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private static async Task<string> MakeAsync(Tenant tenant, string url, string more = "")
    {
        var made = await tenant.PostAsync(Path, $$"""{"url":"{{url}}"{{more}}}""");
        Assert.Equal(201, made.Status);
        return (string)made.Json["id"]!;
    }

    private static async Task<(string? State, string? Reason)> HealthAsync(Tenant tenant, string id)
    {
        var health = (await tenant.GetAsync($"{Path}/{id}")).Json["health"]!;
        return ((string?)health["state"], (string?)health["reason"]);
    }

    /// <summary>Waits for the one event of this type in the inbox; its payload.</summary>
    private static async Task<JsonNode> ToldAsync(Tenant tenant, string type)
    {
        InboxEvent? found = null;
        await Poll.UntilAsync(
            async () =>
                (found = (await tenant.ReadInboxAsync()).SingleOrDefault(one => one.Type == type)) is not null, $"{type} in the inbox");
        return JsonNode.Parse(found!.Payload)!;
    }
}
