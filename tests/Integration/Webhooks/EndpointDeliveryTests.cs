using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StandardWebhooks;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class PostgresEndpointDeliveryTests(PostgresBackedServer fixture) : EndpointDeliveryTests<PostgresBackedServer>(fixture);

public sealed class SqliteEndpointDeliveryTests(SqliteServer fixture) : EndpointDeliveryTests<SqliteServer>(fixture);

/// <summary>Endpoints with real receivers behind them: each gets exactly what is its own, sent in its own way.</summary>
public abstract class EndpointDeliveryTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Path = "/api/endpoints";

    [Fact]
    public async Task Each_gets_exactly_what_its_patterns_match_and_the_event_says_why()
    {
        await using var users = await Receiver.StartAsync();
        await using var orders = await Receiver.StartAsync();
        await using var all = await Receiver.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var usersId = await MakeAsync(tenant, users, """ "event_types":["user.*"] """);
        var ordersId = await MakeAsync(tenant, orders, """ "event_types":["order.paid","order.sent"] """);
        await tenant.SetWebhookAsync(all.Url);

        var ids = new List<(string Type, string Id)>();
        foreach (var type in Enumerable.Repeat<string[]>(["user.created", "order.paid", "user.x.y", "users.created", "order.lost", "order.sent"], 20).SelectMany(types => types))
            ids.Add((type, await PostAsync(tenant, type)));

        await Poll.UntilAsync(() => all.Requests.Count == ids.Count, "all at the default endpoint");
        Same(ids.Where(one => one.Type.StartsWith("user.", StringComparison.Ordinal)), users, "users");
        await Poll.UntilAsync(() => orders.Requests.Count == 40, "orders");
        await Poll.UntilAsync(() => users.Requests.Count == 40, "users");
        Same(ids.Where(one => one.Type is "order.paid" or "order.sent"), orders, "orders");
        Same(ids.Where(one => one.Type.StartsWith("user.", StringComparison.Ordinal)), users, "users");

        var deliveries = await DeliveriesAsync(tenant, ids[0].Id);
        Assert.Equal((true, "type matches user.*"), deliveries[usersId]);
        Assert.Equal((false, "no pattern matches"), deliveries[ordersId]);

        static void Same(IEnumerable<(string Type, string Id)> expected, Receiver receiver, string what)
        {
            var known = expected.Select(one => one.Id).ToHashSet(StringComparer.Ordinal);
            Assert.True(receiver.Requests.All(request => known.Contains(request.Id)), what);
            Assert.Equal(receiver.Requests.Count, receiver.Requests.Select(request => request.Id).Distinct(StringComparer.Ordinal).Count());
        }
    }

    [Fact]
    public async Task A_changed_filter_holds_for_what_is_accepted_after_it()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver, """ "event_types":["a"],"enabled":false """);
        var before = new[] { await PostAsync(tenant, "a"), await PostAsync(tenant, "b"), await PostAsync(tenant, "a") };
        Assert.Equal((true, "type matches a; endpoint is disabled: held"), (await DeliveriesAsync(tenant, before[0]))[id]);

        Assert.Equal(200, (await tenant.PatchAsync($"{Path}/{id}", """{"event_types":["b"]}""")).Status);
        var after = new[] { await PostAsync(tenant, "a"), await PostAsync(tenant, "b") };
        Assert.Empty(receiver.Requests);
        Assert.Equal(200, (await tenant.PatchAsync($"{Path}/{id}", """{"enabled":true}""")).Status);

        await Poll.UntilAsync(() => receiver.Requests.Count == 3, "what is its own");
        Assert.Equal(
            new[] { before[0], before[2], after[1] }.Order(StringComparer.Ordinal),
            receiver.Requests.Select(request => request.Id).Order(StringComparer.Ordinal));
        Assert.Equal((true, "type matches a"), (await DeliveriesAsync(tenant, before[2]))[id]);
        Assert.Equal((false, "no pattern matches"), (await DeliveriesAsync(tenant, after[0]))[id]);
    }

    [Fact]
    public async Task Filters_that_change_while_events_come_lose_and_double_nothing()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver, """ "event_types":["a"] """);
        using var stop = new CancellationTokenSource();
        var producing = ProduceAsync();
        for (var i = 0; i < 20; i++) Assert.Equal(200, (await tenant.PatchAsync($"{Path}/{id}", i % 2 == 0 ? """{"event_types":["b"]}""" : """{"event_types":["a"]}""")).Status);
        await stop.CancelAsync();
        var ids = await producing;

        // What the events say is what arrives.
        var expected = new List<string>();
        foreach (var one in ids)
        {
            if ((await DeliveriesAsync(tenant, one))[id].Matched) expected.Add(one);
        }

        await Poll.UntilAsync(() => receiver.Requests.Count >= expected.Count, "all that match");
        await PostAsync(tenant, "a");
        await Poll.UntilAsync(() => receiver.Requests.Count >= expected.Count + 1, "one more");
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            receiver.Requests.Select(request => request.Id).Where(ids.Contains).Order(StringComparer.Ordinal));

        async Task<List<string>> ProduceAsync()
        {
            var made = new List<string>();
            while (!stop.IsCancellationRequested) made.Add(await PostAsync(tenant, made.Count % 2 == 0 ? "a" : "b"));
            return made;
        }
    }

    [Fact]
    public async Task A_lane_begins_where_it_was_told_to()
    {
        await using var now = await Receiver.StartAsync();
        await using var atEvent = await Receiver.StartAsync();
        await using var atTime = await Receiver.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var old = new[] { await PostAsync(tenant, "a"), await PostAsync(tenant, "a"), await PostAsync(tenant, "a") };

        var nowId = await MakeAsync(tenant, now, """ "start":"now" """);
        var eventId = await MakeAsync(tenant, atEvent, $""" "start":"{old[1]}" """);
        await MakeAsync(tenant, atTime, """ "start":"2026-01-01T00:00:00+01:00" """);
        var young = await PostAsync(tenant, "a");

        await Poll.UntilAsync(() => now.Requests.Count == 1 && atEvent.Requests.Count == 3 && atTime.Requests.Count == 4, "what is theirs");
        Assert.Equal([young], now.Requests.Select(request => request.Id));
        Assert.Equal([old[1], old[2], young], atEvent.Requests.Select(request => request.Id).Order(StringComparer.Ordinal));
        Assert.Equal((false, "the endpoint starts after this event"), (await DeliveriesAsync(tenant, old[2]))[nowId]);
        Assert.Equal((false, "the endpoint starts after this event"), (await DeliveriesAsync(tenant, old[0]))[eventId]);
        Assert.Equal((true, "type matches *"), (await DeliveriesAsync(tenant, old[1]))[eventId]);
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_verify_the_newest_first()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var made = (await tenant.PostAsync(Path, new JsonObject { ["url"] = receiver.Url, ["headers"] = new JsonObject { ["Authorization"] = "Bearer x", ["Expires"] = "0" } }.ToJsonString())).Json;
        var first = (string)made["secret"]!;
        await PostAsync(tenant, "a");
        await Poll.UntilAsync(() => receiver.Requests.Count == 1, "the first");

        var second = (string)(await tenant.PostAsync($"{Path}/{made["id"]}/rotate-secret")).Json["secret"]!;
        await PostAsync(tenant, "a");
        await Poll.UntilAsync(() => receiver.Requests.Count == 2, "the second");

        var (before, after) = (receiver.Requests.First(), receiver.Requests.Last());
        Verify(before, first);
        Assert.ThrowsAny<Exception>(() => Verify(before, second));
        Verify(after, second);
        // The library looks at the first signature only, so each is shown to it alone.
        var signatures = after.Headers["webhook-signature"].Split(' ');
        Assert.Equal(2, signatures.Length);
        Verify(after with { Headers = With(after, signatures[0]) }, second);
        Verify(after with { Headers = With(after, signatures[1]) }, first);
        Assert.Equal(("Bearer x", "0"), (after.Headers["Authorization"], after.Headers["Expires"]));

        static Dictionary<string, string> With(Received request, string signature) =>
            new(request.Headers, StringComparer.OrdinalIgnoreCase) { ["webhook-signature"] = signature };
    }

    [Fact]
    public async Task A_test_shows_what_was_sent_and_what_came_back_and_leaves_nothing()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 418;
            return context.Response.WriteAsync(new string('x', 5000));
        };
        var tenant = await fixture.Server.NewTenantAsync();
        var made = (await tenant.PostAsync(
            Path, new JsonObject { ["url"] = receiver.Url, ["enabled"] = false, ["headers"] = new JsonObject { ["X-Token"] = "secret-value", ["X-A"] = "1" } }.ToJsonString())).Json;

        var test = await tenant.PostAsync($"{Path}/{made["id"]}/test");

        Assert.Equal(200, test.Status);
        Assert.Equal(
            ["success", "endpoint_id", "event_id", "url", "request_headers", "status", "latency_ms", "error", "response_body"],
            test.Json.Select(pair => pair.Key));
        Assert.Equal((false, 418, "Answered 418."), ((bool)test.Json["success"]!, (int)test.Json["status"]!, (string)test.Json["error"]!));
        Assert.Equal(new string('x', 4096), (string?)test.Json["response_body"]);
        var request = Assert.Single(receiver.Requests);
        Verify(request, (string)made["secret"]!);
        var id = (string)test.Json["event_id"]!;
        using var body = JsonDocument.Parse(request.Body);
        Assert.Equal(["id", "event_id", "type", "data", "timestamp"], body.RootElement.EnumerateObject().Select(one => one.Name));
        Assert.Equal(
            (id, "endpoint.test"), (body.RootElement.GetProperty("id").GetString(), body.RootElement.GetProperty("type").GetString()));
        var shown = test.Json["request_headers"]!.AsObject();
        foreach (var (name, value) in request.Headers.Where(pair => pair.Key is not ("Host" or "X-Token")))
            Assert.Equal(value, (string?)shown[name]);
        Assert.DoesNotContain("secret-value", test.Text, StringComparison.Ordinal);
        Assert.Empty(await tenant.ReadInboxAsync());
        Assert.Equal(404, (await tenant.GetAsync($"/api/events/{id}")).Status);
        Assert.False((bool)(await tenant.GetAsync($"{Path}/{made["id"]}")).Json["enabled"]!);
    }

    [Fact]
    public async Task A_test_goes_through_the_same_guard()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        // This server itself by a name: found out only on the connection.
        var own = (await tenant.PostAsync(Path, $$"""{"url":"http://name.invalid:{{fixture.Server.Address.Port}}/"}""")).Json;

        var test = (await tenant.PostAsync($"{Path}/{own["id"]}/test")).Json;

        Assert.False((bool)test["success"]!);
        Assert.Null(test["status"]);
        Assert.Equal("The host's name did not resolve.", (string?)test["error"]);
    }

    [Fact]
    public async Task A_removed_endpoint_gets_nothing_more_and_leaves_no_retry()
    {
        await using var receiver = await Receiver.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = async (context, _) =>
        {
            await release.Task;
            context.Response.StatusCode = 500;
        };
        var tenant = await fixture.Server.NewTenantAsync();
        var id = await MakeAsync(tenant, receiver);
        var ids = new List<string>();
        for (var i = 0; i < 10; i++) ids.Add(await PostAsync(tenant, "a"));
        await Poll.UntilAsync(() => receiver.Requests.Count > 0, "one in flight");

        Assert.Equal(204, (await tenant.DeleteAsync($"{Path}/{id}")).Status);
        var started = receiver.Requests.Count;
        release.SetResult();
        await using var other = await Receiver.StartAsync();
        await MakeAsync(tenant, other);
        await PostAsync(tenant, "a");
        await Poll.UntilAsync(
            async () => other.Requests.Count == 1 && (await tenant.ReadInboxAsync("&status=delivered")).Count == 1, "the other goes on");

        Assert.InRange(receiver.Requests.Count, started, InFlight);
        Assert.Empty(await tenant.ReadInboxAsync("&status=failed"));
        Assert.Equal(ids, (await tenant.ReadInboxAsync("&status=pending")).Select(one => one.Id));
        Assert.Equal(
            ["skipped"],
            (await tenant.GetAsync($"/api/events/{ids[0]}")).Json["deliveries"]!.AsArray().Select(one => (string?)one!["status"]));
    }

    // How many the lane may have in flight before its first answer; see InFlightLimit.
    private const int InFlight = 4;

    private static async Task<string> MakeAsync(Tenant tenant, Receiver receiver, string members = """ "enabled":true """)
    {
        var reply = await tenant.PostAsync(Path, "{\"url\":\"" + receiver.Url + "\"," + members + "}");
        Assert.True(reply.Status == 201, reply.Text);
        return (string)reply.Json["id"]!;
    }

    private static async Task<string> PostAsync(Tenant tenant, string type) =>
        (await tenant.PostEventAsync($$$"""{"type":"{{{type}}}","payload":{}}""")).Accepted();

    private static async Task<Dictionary<string, (bool Matched, string Reason)>> DeliveriesAsync(Tenant tenant, string eventId) =>
        (await tenant.GetAsync($"/api/events/{eventId}")).Json["deliveries"]!.AsArray()
            .ToDictionary(one => (string)one!["endpoint_id"]!, one => ((bool)one!["matched"]!, (string)one["reason"]!));

    private static void Verify(Received request, string secret) => new StandardWebhook(secret).Verify(
        request.Body, new HeaderDictionary(request.Headers.ToDictionary(pair => pair.Key, pair => new StringValues(pair.Value))));
}
