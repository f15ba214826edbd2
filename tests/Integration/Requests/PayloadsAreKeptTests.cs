using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

public sealed class PostgresPayloadsAreKeptTests(PostgresBackedServer fixture) : PayloadsAreKeptTests<PostgresBackedServer>(fixture);

public sealed class SqlitePayloadsAreKeptTests(SqliteServer fixture) : PayloadsAreKeptTests<SqliteServer>(fixture);

/// <summary>A payload that is JSON at all comes back byte for byte, in the list and alone, from both stores; so do odd texts of the
/// fields.</summary>
public abstract class PayloadsAreKeptTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private static readonly string[] Payloads =
    [
        "{}", "{ }", "{\r\n\t}", """{"a":1,"a":2,"\u0061":3}""", """{"type":"x","payload":{"payload":{}},"dedup_id":1}""",
        """{"n":[0,-0,0.0,-0.0,1E5,1e+05,1e-999999,1e999999,0.1000,9007199254740993,123456789012345678901234567890.10]}""",
        """{"n":""" + new string('9', 5_000) + """,""" + "\"m\":0." + new string('0', 5_000) + "1}",
        """{"s":"\u0000\u001f\u007f\ud83d\ude00\/\b\f\n\r\t\\\""}""",
        "{\"s\":\"\u007f\u0085\u2028\u2029\uFEFF\uFFFE\uFFFF\U0010FFFF é ﷺ\"}", """{"\ud83d\ude00":"😀","":""}""",
        """{"x":""" + Encoding.ASCII.GetString(BadTexts.Nested(61)) + "}",
        """{"x":""" + Encoding.ASCII.GetString(BadTexts.Nested(62)) + "}",
    ];

    private static readonly string[] Texts = ["a", " ", "😀", "\U0010FFFF", "'; DROP TABLE events; --", "%", "_", "\\", "\"", "a/b?c#d",
        "\u00A0", "\uFEFF", "e\u0301", "Ω", "ß", "null", "$1"];

    [Fact]
    public async Task Payloads_come_back_byte_for_byte()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var ids = new List<string>();

        foreach (var payload in Payloads) ids.Add((await tenant.PostEventAsync($$"""{"type":"a","payload":{{payload}}}""")).Accepted());

        var inbox = await tenant.ReadInboxAsync();
        Assert.Equal(ids.Zip(Payloads), inbox.Select(one => (one.Id, one.Payload)));
        foreach (var (id, payload) in ids.Zip(Payloads)) Assert.Contains($"\"payload\":{payload},",
            (await tenant.GetAsync($"/api/events/{id}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Texts_come_back_as_they_were_meant()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var sent = new List<(string, string, string)>();

        foreach (var text in Texts)
        {
            var body = new System.Text.Json.Nodes.JsonObject
            {
                ["type"] = text,
                ["dedup_id"] = text,
                ["ordering_key"] = text,
                ["payload"] = new System.Text.Json.Nodes.JsonObject()
            };
            sent.Add(((await tenant.PostEventAsync(body.ToJsonString())).Accepted(), text, text));
        }

        Assert.Equal(sent, (await tenant.ReadInboxAsync()).Select(one => (one.Id, one.Type, one.DedupId!)));
        foreach (var (id, text, _) in sent)
        {
            Assert.Equal(text, (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["ordering_key"]);
            Assert.Equal([id], (await tenant.ReadInboxAsync($"&type={Uri.EscapeDataString(text)}")).Select(one => one.Id));
        }
    }

    [Theory]
    [InlineData("/api/inbox?type=%00", 200)]
    [InlineData("/api/inbox?type=a%00b&include=total", 200)]
    [InlineData("/api/inbox?type=%ED%A0%80", 200)]
    [InlineData("/api/inbox?type=%FF", 200)]
    [InlineData("/api/inbox?type=%", 200)]
    [InlineData("/api/inbox?type=a&type=b", 422)]
    [InlineData("/api/inbox?cursor=%00", 422)]
    [InlineData("/api/inbox?limit=1%00", 422)]
    [InlineData("/api/inbox?limit=99999999999999999999", 422)]
    [InlineData("/api/inbox?limit=%D9%A1", 422)]
    [InlineData("/api/inbox?offset=-0", 422)]
    [InlineData("/api/inbox?offset=10001", 422)]
    [InlineData("/api/inbox?status=pending%00", 422)]
    [InlineData("/api/inbox?=&&==&%00=1", 200)]
    [InlineData("/api/events/a%00b", 404)]
    [InlineData("/api/events/%F0%9F%98%80", 404)]
    [InlineData("/api/events/..%2F..%2Fkeys", 404)]
    public async Task Odd_queries_and_paths_have_an_answer(string path, int status)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head("GET", path, tenant.Key));

        // A NUL in the path is refused by the HTTP layer itself, which closes.
        var reply = await client.ReadReplyAsync();
        Assert.True(reply.Status == status || (reply.Status == 400 && path.StartsWith("/api/events/a%00", StringComparison.Ordinal)),
            $"{reply.Status} {reply.Text}");
    }
}
