using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Microsoft.Extensions.Primitives;
using StandardWebhooks;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class PostgresCloudEventDeliveryTests(PostgresBackedServer fixture) : CloudEventDeliveryTests<PostgresBackedServer>(fixture);

public sealed class SqliteCloudEventDeliveryTests(SqliteServer fixture) : CloudEventDeliveryTests<SqliteServer>(fixture);

/// <summary>Deliveries as CloudEvents: signed as all are, and read by the CloudNative library.</summary>
public abstract class CloudEventDeliveryTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private static readonly JsonEventFormatter Formatter = new();

    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    public async Task An_event_is_the_data_of_one_byte_for_byte(int length)
    {
        await using var receiver = await Receiver.StartAsync();
        var (tenant, secret) = await MakeAsync(receiver);
        var payload = $$"""{"n": 1.50, "text" : "größe {{new string('x', length)}}"}""";

        var id = (await tenant.PostEventAsync($$"""{"type":"käse.\"made\"","payload":{{payload}},"ordering_key":"k\"1"}""")).Accepted();

        var request = await OneAsync(receiver, secret);
        var received = Decode(request.Body);
        Assert.Equal((id, "käse.\"made\"", "/api/events"), (received.Id, received.Type, received.Source!.OriginalString));
        Assert.Equal("application/json", received.DataContentType);
        Assert.Equal("k\"1", received["partitionkey"]);
        Assert.Contains($"\"data\":{payload}}}", request.Body, StringComparison.Ordinal);
        var inbox = Assert.Single(await tenant.ReadInboxAsync());
        Assert.Equal(
            DateTimeOffset.Parse((string)JsonNode.Parse((await tenant.GetAsync($"/api/events/{inbox.Id}")).Text)!["created_at"]!, null),
            received.Time);
    }

    [Fact]
    public async Task A_CloudEvent_goes_out_as_it_came()
    {
        await using var receiver = await Receiver.StartAsync();
        var (tenant, secret) = await MakeAsync(receiver);
        const string Text = """{"specversion" : "1.0","id":"a","source":"urn:x","type":"t","data":{"id":1.0e2, "z":[1,2]},"ext":"e"}""";

        (await tenant.PostEventAsync(Text, ("Content-Type", "application/cloudevents+json"))).Accepted();

        Assert.Equal(Text, (await OneAsync(receiver, secret)).Body);
    }

    [Theory]
    [InlineData("""{"specversion":"1.0","id":"a","source":"urn:x","type":"other"}""")]
    [InlineData("""{"specversion":"0.3","id":"a","source":"urn:x","type":"t"}""")]
    [InlineData("""{"specversion":"1.0","id":"","source":"urn:x","type":"t"}""")]
    [InlineData("""{"specversion":"1.0","id":1,"source":"urn:x","type":"t"}""")]
    [InlineData("""{"specversion":"1.0","source":"urn:x","type":"t"}""")]
    [InlineData("""{"a":{"specversion":"1.0","id":"a","source":"urn:x","type":"t"}}""")]
    public async Task What_only_looks_like_one_is_data(string payload)
    {
        await using var receiver = await Receiver.StartAsync();
        var (tenant, secret) = await MakeAsync(receiver);

        var id = (await tenant.PostEventAsync($$"""{"type":"t","payload":{{payload}}}""")).Accepted();

        var received = Decode((await OneAsync(receiver, secret)).Body);
        Assert.Equal(id, received.Id);
        Assert.Equal(payload, ((JsonElement)received.Data!).GetRawText());
    }

    [Fact]
    public async Task The_format_can_be_changed_back()
    {
        await using var receiver = await Receiver.StartAsync();
        var (tenant, _) = await MakeAsync(receiver);
        var endpoint = (await tenant.GetAsync("/api/endpoints")).Json["endpoints"]![0]!;
        Assert.Equal("cloudevents", (string?)endpoint["format"]);

        var changed = await tenant.PatchAsync($"/api/endpoints/{endpoint["id"]}", """{"format":null}""");
        Assert.Equal("standard", (string?)changed.Json["format"]);
        (await tenant.PostEventAsync("""{"type":"t","payload":{}}""")).Accepted();

        await Poll.UntilAsync(() => receiver.Requests.Count == 1, "delivered");
        Assert.Equal("application/json", receiver.Requests.Single().Headers["Content-Type"]);
        (await tenant.PatchAsync($"/api/endpoints/{endpoint["id"]}", """{"format":"xml"}""")).Problem(422, "invalid_field", "Invalid field", "field");
    }

    private async Task<(Tenant Tenant, string Secret)> MakeAsync(Receiver receiver)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var made = await tenant.PostAsync("/api/endpoints", $$"""{"url":"{{receiver.Url}}","format":"cloudevents"}""");
        Assert.Equal(201, made.Status);
        return (tenant, (string)made.Json["secret"]!);
    }

    private static async Task<Received> OneAsync(Receiver receiver, string secret)
    {
        await Poll.UntilAsync(() => receiver.Requests.Count == 1, "delivered");
        var request = receiver.Requests.Single();
        Assert.Equal("application/cloudevents+json; charset=utf-8", request.Headers["Content-Type"]);
        var signed = new Microsoft.AspNetCore.Http.HeaderDictionary();
        foreach (var (name, value) in request.Headers) signed[name] = new StringValues(value);
        new StandardWebhook(secret).Verify(request.Body, signed);
        return request;
    }

    private static CloudEvent Decode(string body) =>
        Formatter.DecodeStructuredModeMessage(
            Encoding.UTF8.GetBytes(body), new ContentType("application/cloudevents+json"), extensionAttributes: null);
}
