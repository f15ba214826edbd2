using System.Net;
using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>A producer's trace comes out at the receiver, whatever happens in between. No spans are exported here.</summary>
[Collection(Operations.TelemetryTests.OfSpans)]
public sealed class TraceParentTests
{
    private const string Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private const string Other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    private const string Event = """{"type":"a","payload":{}}""";

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task The_receiver_gets_what_the_producer_sent_on_every_try_and_replay(StoreKind store)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        Assert.Equal(201, (await tenant.PostAsync("/api/endpoints", $$"""{"url":"{{receiver.Url}}","retry_schedule":[1]}""")).Status);
        receiver.Answer = (context, received) =>
        {
            if (receiver.CountOf(received.Id) == 1) context.Response.StatusCode = (int)HttpStatusCode.InternalServerError;
            return Task.CompletedTask;
        };

        var id = (await tenant.PostEventAsync(Event, ("traceparent", Trace))).Accepted();
        await Poll.UntilAsync(() => receiver.CountOf(id) == 2, "tried again");
        await Poll.UntilAsync(async () => (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"] == "delivered", "recorded");
        Assert.Equal(202, (await tenant.PostAsync($"/api/events/{id}/replay")).Status);
        await Poll.UntilAsync(() => receiver.CountOf(id) == 3, "sent again");

        Assert.All(receiver.Requests, request => Assert.Equal(Trace, request.Headers["traceparent"]));
        Assert.Equal(Trace, (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["traceparent"]);
        Assert.Contains($"\"traceparent\":\"{Trace}\"", (await tenant.GetAsync("/api/export")).Text, StringComparison.Ordinal);
        Assert.Contains($",{Trace}\r\n", (await tenant.GetAsync("/api/export?format=csv")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task It_is_there_after_a_restart(StoreKind store)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        var endpoint = (string)(await tenant.PostAsync("/api/endpoints", $$"""{"url":"{{receiver.Url}}","enabled":false}""")).Json["id"]!;
        var id = (await tenant.PostEventAsync(Event, ("traceparent", Trace))).Accepted();

        await server.StopAsync();
        await server.StartAsync();
        Assert.Equal(200, (await tenant.PatchAsync($"/api/endpoints/{endpoint}", """{"enabled":true}""")).Status);

        await Poll.UntilAsync(() => receiver.CountOf(id) == 1, "delivered");
        Assert.Equal(Trace, receiver.Requests.Single().Headers["traceparent"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    public async Task Without_a_valid_one_there_is_no_header(string? value)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);

        var id = (await tenant.PostEventAsync(Event, ("traceparent", value), ("tracestate", "a=b"))).Accepted();

        await Poll.UntilAsync(() => receiver.CountOf(id) == 1, "delivered");
        Assert.DoesNotContain("traceparent", receiver.Requests.Single().Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("tracestate", receiver.Requests.Single().Headers.Keys, StringComparer.OrdinalIgnoreCase);
        var shown = (await tenant.GetAsync($"/api/events/{id}")).Json;
        Assert.True(shown.AsObject().ContainsKey("traceparent"));
        Assert.Null(shown["traceparent"]);
    }

    [Fact]
    public async Task An_endpoints_own_header_of_that_name_wins()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        await tenant.PostAsync("/api/endpoints", $$"""{"url":"{{receiver.Url}}","headers":{"Traceparent":"{{Other}}"} }""");

        (await tenant.PostEventAsync(Event, ("traceparent", Trace))).Accepted();

        await Poll.UntilAsync(() => receiver.Requests.Count == 1, "delivered");
        Assert.Equal(Other, receiver.Requests.Single().Headers["traceparent"]);
    }

    [Theory]
    [InlineData(Trace, Trace, Trace)] // the header's is that of all
    [InlineData(null, null, Other)] // an event's own one where there is no header
    public async Task A_batch_has_one_for_all_and_a_CloudEvent_its_own(string? header, string? first, string? second)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        const string Body = $$"""
            [{"specversion":"1.0","id":"1","source":"urn:x","type":"t"},{"specversion":"1.0","id":"2","source":"urn:x","type":"t","traceparent":"{{Other}}"}]
            """;

        var reply = await tenant.SendAsync(
            HttpMethod.Post, "/api/events/batch", Encoding.UTF8.GetBytes(Body), ("X-API-Key", tenant.Key),
            ("Content-Type", "application/cloudevents-batch+json"), ("traceparent", header));

        Assert.Equal(2, (int)reply.Json["accepted"]!);
        await Poll.UntilAsync(() => receiver.Requests.Count == 2, "delivered");
        Assert.Equal(first, TraceOf(receiver, (string)reply.Json["results"]![0]!["id"]!));
        Assert.Equal(second, TraceOf(receiver, (string)reply.Json["results"]![1]!["id"]!));
    }

    [Theory]
    [InlineData(null, Trace)]
    [InlineData("nonsense", Trace)]
    [InlineData(Other, Other)]
    public async Task A_binary_CloudEvent_has_it_as_an_attribute(string? header, string expected)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);

        var id = (await tenant.PostEventAsync(
            "{}", ("ce-specversion", "1.0"), ("ce-id", "a"), ("ce-source", "urn:x"), ("ce-type", "t"), ("ce-traceparent", Trace),
            ("traceparent", header))).Accepted();

        await Poll.UntilAsync(() => receiver.CountOf(id) == 1, "delivered");
        Assert.Equal(expected, TraceOf(receiver, id));
    }

    private static string? TraceOf(Receiver receiver, string id) =>
        receiver.Requests.Single(request => request.Id == id).Headers.GetValueOrDefault("traceparent");
}
