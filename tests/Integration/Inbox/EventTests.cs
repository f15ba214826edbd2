using System.Net;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Integration.Accounts;
using Delivery = ZapierTriggers.Core.Storing.Delivery;

namespace ZapierTriggers.Tests.Integration.Inbox;

public sealed class EventTests
{
    private static readonly Guid EndpointId = Guid.Parse("5b6f2c1e-6a0f-4f0e-9d4b-0a1b2c3d4e5f");
    private static readonly DateTimeOffset FirstTry = new(2025, 3, 1, 10, 0, 1, TimeSpan.Zero);

    [Theory]
    [InlineData("/api/events/")]
    [InlineData("/events/")]
    public async Task One_event_is_shown_with_its_deliveries_and_their_attempts(string path)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var id = host.AddEvent(organization, status: EventStatus.Failed, deliveries: new Delivery
        {
            EndpointId = EndpointId,
            Url = "https://example.com/hook",
            Status = EventStatus.Failed,
            NextAttemptAt = FirstTry.AddSeconds(5),
            Attempts = [new AttemptRecord { Number = 1, At = FirstTry, ResponseStatus = 500, LatencyMilliseconds = 12, Error = "500", ResponseBody = "oh \"no\"" }],
        });
        var (status, body, _) = await host.SendAsync(HttpMethod.Get, path + id, key);

        Assert.Equal(HttpStatusCode.OK, status);
        ApiAssert.Fields(
            body, "id", "type", "event_type", "payload", "dedup_id", "status", "delivery_status", "attempts", "response_status",
            "last_error",
            "created_at", "updated_at", "ordering_key", "traceparent", "acknowledged_at", "deliveries");
        var delivery = Assert.Single(body["deliveries"]!.AsArray())!.AsObject();
        ApiAssert.Fields(delivery, "endpoint_id", "url", "status", "next_attempt_at", "attempts", "matched", "reason");
        Assert.Equal("the endpoint has been removed since", (string?)delivery["reason"]);
        Assert.Equal("failed", (string?)delivery["status"]);
        Assert.Equal("2025-03-01T10:00:06.000Z", (string?)delivery["next_attempt_at"]);
        Assert.Equal(
            """{"number":1,"at":"2025-03-01T10:00:01.000Z","response_status":500,"latency_ms":12,"error":"500","response_body":"oh \u0022no\u0022"}""",
            Assert.Single(delivery["attempts"]!.AsArray())!.ToJsonString());
    }

    [Fact]
    public async Task Every_endpoint_is_shown_with_whether_the_event_is_its_and_why()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var ids = Enumerable.Range(0, 3).Select(_ => host.AddEvent(organization)).ToList();
        var acknowledged = host.AddEvent(organization);
        await host.Events.AcknowledgeAsync(organization.No, [acknowledged], FirstTry, CancellationToken.None);
        var type = host.Events.Events[0].Detail.Event.Type;
        var (matching, other) = (new EventTypePatterns(["none", type]), new EventTypePatterns(["other.*"]));
        EndpointRecord[] endpoints =
        [
            Endpoint(EndpointFilters.None, default),
            Endpoint(EndpointFilters.None, ids[1]),
            Endpoint(new EndpointFilters([new FilterVersion(default, matching), new FilterVersion(ids[1], other)]), default),
            Endpoint(EndpointFilters.None, default) with { Enabled = false },
        ];
        host.Endpoints[organization.No] = endpoints;

        Assert.Equal(
            [(true, "pending", "type matches *"), (false, "skipped", "the endpoint starts after this event"), (true, "pending", $"type matches {type}"),
                (true, "pending", "type matches *; endpoint is disabled: held")],
            await ShownAsync(ids[1]));
        Assert.Equal(
            [(true, "pending", "type matches *"), (true, "pending", "type matches *"), (false, "skipped", "no pattern matches"),
                (true, "pending", "type matches *; endpoint is disabled: held")],
            await ShownAsync(ids[2]));
        Assert.Equal((true, "pending", "type matches *; it was acknowledged before it was sent"), (await ShownAsync(acknowledged))[0]);

        async Task<List<(bool, string, string)>> ShownAsync(EventId id)
        {
            var (_, body, _) = await host.SendAsync(HttpMethod.Get, $"/api/events/{id}", key);
            var deliveries = body["deliveries"]!.AsArray().Select(one => one!.AsObject()).ToList();
            Assert.Equal(endpoints.Select(one => one.Id.ToString()), deliveries.Select(one => (string?)one["endpoint_id"]));
            return [.. deliveries.Select(one => ((bool)one["matched"]!, (string)one["status"]!, (string)one["reason"]!))];
        }
    }

    private static EndpointRecord Endpoint(EndpointFilters filters, EventId startsAfter) =>
        Storage.DeliveryScene.NewEndpoint(1) with { Filters = filters, StartsAfter = startsAfter };

    [Fact]
    public async Task Foreign_unknown_and_malformed_ids_are_the_same_404()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        var (_, other) = await host.RegisterAsync("Other");
        var foreign = host.AddEvent(other);
        var bodies = new List<string>();
        foreach (var id in new[] { foreign.ToString(), Samples.UnknownId, "abc", "%7Bid%7D" })
        {
            var answer = await host.SendAsync(HttpMethod.Get, $"/api/events/{id}", key);
            ApiAssert.Problem(answer, 404, "event_not_found", "Event not found");
            bodies.Add(answer.Body.ToJsonString());
        }

        Assert.Single(bodies.Distinct());
    }
}
