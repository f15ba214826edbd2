using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.Http;
using CloudNative.CloudEvents.SystemTextJson;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

/// <summary>
/// CloudEvents, as the CloudNative library writes them in each of its ways: what is stored is what the library reads again.
/// </summary>
public sealed class CloudEventTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private static readonly JsonEventFormatter Formatter = new();

    [Theory]
    [InlineData(ContentMode.Structured)]
    [InlineData(ContentMode.Binary)]
    public async Task One_is_stored_whole_in_either_mode(ContentMode mode)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var sent = Sample("one", JsonSerializer.SerializeToElement(new { order = 7, name = "größe \"x\"" }));

        var reply = await SendAsync(tenant, sent.ToHttpContent(mode, Formatter));

        reply.Accepted();
        var stored = Assert.Single(await tenant.ReadInboxAsync());
        Assert.Equal(("com.example.order.paid", "/shop/1 one"), (stored.Type, stored.DedupId));
        Same(sent, Read(stored.Payload));
        Assert.Equal((await SendAsync(tenant, sent.ToHttpContent(mode, Formatter))).Duplicate(), stored.Id);
    }

    [Fact]
    public async Task Structured_bytes_are_kept_as_they_are()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        const string Text = """ {"specversion" : "1.0","id":"a","source":"urn:x","type":"t","data":{"n":1.0e2, "z":[1,2]},"ext":"e"} """;

        (await PostAsync(tenant, Text, "application/cloudevents+json; charset=utf-8")).Accepted();

        Assert.Equal(Text.Trim(), Assert.Single(await tenant.ReadInboxAsync()).Payload);
    }

    [Theory]
    [InlineData("text/plain", "größe", "data", "größe")]
    [InlineData("application/octet-stream", "abc", "data_base64", "YWJj")]
    public async Task Data_that_is_not_JSON_is_text_or_base64(string contentType, string body, string member, string expected)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.PostEventAsync(
            body, ("Content-Type", contentType), ("ce-specversion", "1.0"), ("ce-id", "a%20%E2%82%AC"), ("ce-source", "/s"),
            ("ce-type", "t"), ("ce-traceparent", "\"q\""));

        reply.Accepted();
        var stored = JsonNode.Parse(Assert.Single(await tenant.ReadInboxAsync()).Payload)!;
        Assert.Equal((expected, "a €", "q", contentType), (
            (string?)stored[member], (string?)stored["id"], (string?)stored["traceparent"], (string?)stored["datacontenttype"]));
    }

    [Fact]
    public async Task A_batch_is_taken_item_by_item()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        CloudEvent[] sent = [Sample("1", null), Sample("2", JsonSerializer.SerializeToElement(2))];
        var content = await sent.ToHttpContent(Formatter).ReadAsStringAsync();

        var reply = await PostAsync(tenant, content[..^1] + """,{"id":"3","source":"s"},{"specversion":"1.0","id":"1","source":"/shop/1","type":"x"}]""",
            "application/cloudevents-batch+json", "/api/events/batch");

        Assert.Equal(200, reply.Status);
        Assert.Equal(
            ["accepted", "accepted", "rejected", "rejected"],
            reply.Json["results"]!.AsArray().Select(result => (string?)result!["status"]));
        Assert.Equal(
            [null, null, "invalid_field", "idempotency_key_reused"],
            reply.Json["results"]!.AsArray().Select(result => (string?)result!["code"]));
        var stored = await tenant.ReadInboxAsync();
        Same(sent[0], Read(stored[0].Payload));
        Same(sent[1], Read(stored[1].Payload));
    }

    [Theory]
    [InlineData("""{"specversion":"0.3","id":"a","source":"s","type":"t"}""", "specversion")]
    [InlineData("""{"id":"a","source":"s","type":"t"}""", "specversion")]
    [InlineData("""{"specversion":"1.0","source":"s","type":"t"}""", "id")]
    [InlineData("""{"specversion":"1.0","id":"","source":"s","type":"t"}""", "id")]
    [InlineData("""{"specversion":"1.0","id":"a","type":"t"}""", "source")]
    [InlineData("""{"specversion":"1.0","id":"a","source":1,"type":"t"}""", "source")]
    [InlineData("""{"specversion":"1.0","id":"a","source":"s"}""", "type")]
    [InlineData("""{"specversion":"1.0","id":"a","source":"s","type":""}""", "type")]
    [InlineData("""{"specversion":"1.0","id":"a","source":"s","type":"t","data":1,"data_base64":"YQ=="}""", "data")]
    public async Task What_is_none_says_which_attribute(string body, string field)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        (await PostAsync(tenant, body, "application/cloudevents+json")).InvalidField(field);
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task What_cannot_be_read_is_refused()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        (string, string?)[] binary = [("ce-specversion", "1.0"), ("ce-id", "a"), ("ce-source", "s"), ("ce-type", "t")];

        (await PostAsync(tenant, """{"specversion":"1.0","id":"a","id":"b","source":"s","type":"t"}""", "application/cloudevents+json")).InvalidJson();
        (await tenant.PostEventAsync("{", binary)).InvalidJson();
        (await tenant.PostEventAsync("1,\"x\":2", binary)).InvalidJson();
        (await tenant.PostEventAsync("{}", [.. binary, ("ce-x", "%zz")])).InvalidField("ce-");
        (await tenant.PostEventAsync("{}", [.. binary, ("ce-data", "1")])).InvalidField("ce-");
        (await tenant.PostEventAsync("{}", binary[1..])).InvalidField("specversion");
        Assert.Equal(415, (await PostAsync(tenant, "[]", "application/cloudevents-batch+json")).Status);
        Assert.Equal(415, (await PostAsync(tenant, "x", "application/cloudevents+avro")).Status);
        Assert.Equal(415, (await tenant.PostEventAsync("{}", [.. binary, ("Content-Encoding", "gzip")])).Status);
        var large = $$"""{"specversion":"1.0","id":"a","source":"s","type":"t","data":"{{new string('x', 262_144)}}"}""";
        Assert.Equal(413, (await PostAsync(tenant, large, "application/cloudevents+json")).Status);
        Assert.Empty(await tenant.ReadInboxAsync());
    }

    [Fact]
    public async Task A_long_source_and_id_are_told_apart_all_the_same()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var source = new string('s', 200);
        string[] ids = [new('a', 200), new string('a', 199) + "b", new('a', 200)];

        var replies = new List<Reply>();
        foreach (var id in ids) replies.Add(await PostAsync(tenant, $$"""{"specversion":"1.0","id":"{{id}}","source":"{{source}}","type":"t"}""", "application/cloudevents+json"));

        Assert.Equal([202, 202, 409], replies.Select(reply => reply.Status));
    }

    private static CloudEvent Sample(string id, JsonElement? data) => new(CloudEventsSpecVersion.V1_0)
    {
        Id = id,
        Source = new Uri("/shop/1", UriKind.Relative),
        Type = "com.example.order.paid",
        Subject = "order/7 – ü%",
        Time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        DataContentType = data is null ? null : MediaTypeNames.Application.Json,
        Data = data,
    };

    private static CloudEvent Read(string payload) =>
        Formatter.DecodeStructuredModeMessage(
            Encoding.UTF8.GetBytes(payload), new ContentType("application/cloudevents+json"), extensionAttributes: null);

    private static void Same(CloudEvent expected, CloudEvent actual)
    {
        Assert.Equal(
            expected.GetPopulatedAttributes().Select(one => (one.Key.Name, one.Key.Format(one.Value))).Order(),
            actual.GetPopulatedAttributes().Select(one => (one.Key.Name, one.Key.Format(one.Value))).Order());
        Assert.Equal(expected.Data?.ToString(), actual.Data?.ToString());
    }

    private static async Task<Reply> SendAsync(Tenant tenant, HttpContent content)
    {
        var headers = content.Headers.NonValidated.Select(
            header => (header.Key, (string?)header.Value.ToString())).Append(("X-API-Key", tenant.Key));
        return await tenant.SendAsync(HttpMethod.Post, "/api/events", await content.ReadAsByteArrayAsync(), [.. headers]);
    }

    private static Task<Reply> PostAsync(Tenant tenant, string body, string contentType, string path = "/api/events") =>
        tenant.SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(body), ("X-API-Key", tenant.Key), ("Content-Type", contentType));
}
