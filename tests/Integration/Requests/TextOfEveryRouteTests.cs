using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// Every route that takes JSON judges text alike: what is no JSON object in UTF-8 is the contract's 400 and changes nothing, in step on one
/// connection; unusual spellings of a good object are taken.
/// </summary>
public sealed class TextOfEveryRouteTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    public static TheoryData<string> Routes => [.. JsonRoute.All.Keys];

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Bad_text_is_400_and_changes_nothing(string name)
    {
        var route = JsonRoute.All[name];
        var tenant = await fixture.Server.NewTenantAsync();
        var before = await JsonRoute.StateAsync(tenant);
        using var client = await RawClient.ConnectAsync(fixture.Server);

        foreach (var (what, body) in BadTexts.For(route))
        {
            await client.SendAsync(route.Request(fixture.Server, tenant, body));
            var reply = await client.ReadReplyAsync();
            Assert.True(reply.Status == 400, $"{what}: {reply.Status} {reply.Text}");
            reply.InvalidJson();
        }

        Assert.Equal(before, await JsonRoute.StateAsync(tenant));
        await client.SendAsync(route.Request(fixture.Server, tenant, Encoding.UTF8.GetBytes(route.Good)));
        Assert.Equal(route.Success, (await client.ReadReplyAsync()).Status);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Unusual_spellings_of_a_good_object_are_taken(string name)
    {
        var route = JsonRoute.All[name];
        var first = route.Good[2];
        byte[][] bodies =
        [
            Encoding.UTF8.GetBytes($"\r\n\t {route.Good.Replace("\":", "\" :\n", StringComparison.Ordinal)} \n"),
            Encoding.UTF8.GetBytes($"{{\"\\u{(int)first:x4}{route.Good[3..]}"),
            route.With([.. "\"x\":"u8, .. BadTexts.Nested(62)]),
            route.With([.. "\"x\":"u8, .. BadTexts.Nested(63)]),
            route.With("\"\":{\"a\":[1e999999,-0.0E-00,123456789012345678901234567890,\"\\u0000\\ud83d\\ude00é\"]}"u8),
        ];

        foreach (var body in route.TakesUnknown ? bodies : bodies[..2])
        {
            var tenant = await fixture.Server.NewTenantAsync();
            using var client = await RawClient.ConnectAsync(fixture.Server);
            await client.SendAsync(route.Request(fixture.Server, tenant, body));
            var reply = await client.ReadReplyAsync();
            Assert.True(reply.Status == route.Success, $"{Encoding.UTF8.GetString(body)}: {reply.Status} {reply.Text}");
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_hundred_thousand_levels_are_refused_without_a_stack(string name)
    {
        var route = JsonRoute.All[name];
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(route.Request(fixture.Server, tenant, route.With([.. "\"x\":"u8, .. BadTexts.Nested(100_000)])));

        // Too large for the small routes, too deep for the others.
        var reply = await client.ReadReplyAsync();
        if (reply.Status == 413) reply.Problem(413, "payload_too_large", "Payload too large", "limit_bytes");
        else reply.InvalidJson();
    }

    [Theory]
    [InlineData("events", """{"type":"a\u0000b","payload":{}}""", 422)]
    [InlineData("events", """{"type":"a","payload":{},"dedup_id":"a\u0000"}""", 422)]
    [InlineData("events", """{"type":"a","payload":{},"ordering_key":"\u0000"}""", 422)]
    [InlineData("webhook", """{"webhook_url":"http://127.0.0.1:9/\u0000"}""", 422)]
    [InlineData("webhook", """{"url":"http://127.0.0.1\u0000:9/"}""", 422)]
    [InlineData("endpoints", """{"url":"http://127.0.0.1:9/\u0000"}""", 422)]
    [InlineData("endpoints", """{"url":"http://127.0.0.1:9/","description":"\u0000"}""", 422)]
    [InlineData("endpoints", """{"url":"http://127.0.0.1:9/","event_types":["a\u0000"]}""", 422)]
    [InlineData("endpoints", """{"url":"http://127.0.0.1:9/","headers":{"X-A":"\u0000"}}""", 422)]
    [InlineData("endpoints", """{"url":"http://127.0.0.1:9/","headers":{"\u0000":"a"}}""", 422)]
    [InlineData("generate", """{"organization_name":"a\u0000"}""", 422)]
    [InlineData("generate", """{"organization_name":"a","tier":"free\u0000"}""", 422)]
    [InlineData("generate", """{"organization_name":"a","mode":"live\u0000"}""", 422)]
    [InlineData("admin", """{"tier":"pro\u0000"}""", 422)]
    [InlineData("admin", """{"name":"a\u0000"}""", 422)]
    [InlineData("keys", """{"name":"a\u0000","scopes":["inbox:read"]}""", 422)]
    [InlineData("keys", """{"name":"a","scopes":["inbox:read\u0000"]}""", 422)]
    [InlineData("keys", """{"name":"a","scopes":["inbox:read"],"expires_at":"2126-01-01T00:00:00Z\u0000"}""", 422)]
    [InlineData("suspend", """{"reason":"\u0000"}""", 422)]
    [InlineData("ack", """{"event_ids":["\u0000"]}""", 200)]
    public async Task A_NUL_in_a_field_is_refused_or_means_nothing(string name, string body, int status)
    {
        var route = JsonRoute.All[name];
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(route.Request(fixture.Server, tenant, Encoding.UTF8.GetBytes(body)));

        var reply = await client.ReadReplyAsync();
        Assert.True(reply.Status == status, $"{reply.Status} {reply.Text}");
        if (status == 200) Assert.Contains("\"failed_ids\":[\"\\u0000\"]", reply.Text, StringComparison.Ordinal);
    }
}
