using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Integration.Accounts;

namespace ZapierTriggers.Tests.Integration.Inbox;

public sealed class InboxTests
{
    private static readonly string[] EventFields =
    [
        "id", "type", "event_type", "payload", "dedup_id", "status", "delivery_status", "attempts", "response_status", "last_error",
        "created_at", "updated_at",
    ];

    [Theory]
    [InlineData("/api/inbox")]
    [InlineData("/inbox")]
    public async Task A_page_has_the_documented_fields(string path)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var id = host.AddEvent(organization, status: EventStatus.DeadLetter);
        var (status, body, _) = await host.SendAsync(HttpMethod.Get, path, key);

        Assert.Equal(HttpStatusCode.OK, status);
        ApiAssert.Fields(body, "events", "next_cursor", "has_more", "count", "limit", "offset");
        var listed = Assert.Single(body["events"]!.AsArray())!.AsObject();
        ApiAssert.Fields(listed, EventFields);
        Assert.Equal(id.ToString(), (string?)listed["id"]);
        Assert.Equal("user.created", (string?)listed["event_type"]);
        Assert.Equal("dead_letter", (string?)listed["status"]);
        Assert.Equal("dead_letter", (string?)listed["delivery_status"]);
        Assert.Equal("2025-03-01T10:00:00.001Z", (string?)listed["created_at"]);
        Assert.Equal("2025-03-01T10:00:00.001Z", (string?)listed["updated_at"]);
        Assert.Null(listed["dedup_id"]);
        Assert.Equal([organization.No], host.BarrierCalls);
    }

    [Fact]
    public async Task An_empty_inbox_has_no_cursor()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        var (_, body, _) = await host.SendAsync(HttpMethod.Get, "/api/inbox?include=total", key);
        Assert.Equal("""{"events":[],"next_cursor":null,"has_more":false,"count":0,"limit":100,"offset":0,"total":0}""", body.ToJsonString());
    }

    [Theory]
    [InlineData("asc", 3)]
    [InlineData("asc", 5)]
    [InlineData("desc", 3)]
    [InlineData("desc", 1000)]
    public async Task Following_the_cursor_shows_each_event_once_in_order(string order, int limit)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var (_, other) = await host.RegisterAsync("Other");
        var ids = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            ids.Add(host.AddEvent(organization).ToString());
            host.AddEvent(other);
        }

        var seen = new List<string>();
        var cursor = "";
        JsonObject page;
        do
        {
            page = (await host.SendAsync(HttpMethod.Get, $"/api/inbox?order={order}&limit={limit}&cursor={cursor}", key)).Body;
            var shown = page["events"]!.AsArray().Select(stored => (string)stored!["id"]!).ToList();
            Assert.Equal(shown.Count, (int?)page["count"]);
            Assert.Equal(shown[^1], (string?)page["next_cursor"]);
            seen.AddRange(shown);
            cursor = (string?)page["next_cursor"];
        }
        while ((bool)page["has_more"]!);

        Assert.Equal(order == "asc" ? ids : Enumerable.Reverse(ids), seen);
    }

    [Fact]
    public async Task Parameters_reach_the_store_and_come_back()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var (_, body, _) = await host.SendAsync(
            HttpMethod.Get, $"/api/inbox?limit=7&offset=10000&status=retrying&type=a%20b%26&order=asc&include=total&cursor={Samples.UnknownId}&other=x", key);
        var query = Assert.Single(host.Events.Queries);
        Assert.Equal(
            new InboxQuery
            {
                OrganizationNo = organization.No,
                Limit = 7,
                Offset = 10_000,
                Status = EventStatus.Failed,
                Type = "a b&",
                Ascending = true,
                IncludeTotal = true,
                Cursor = EventId.FromGuid(Guid.Parse(Samples.UnknownId)),
            },
            query);
        Assert.Equal(7, (int?)body["limit"]);
        Assert.Equal(10_000, (int?)body["offset"]);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=ten", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("limit=1&limit=2", "limit")]
    [InlineData("offset=-1", "offset")]
    [InlineData("offset=10001", "offset")]
    [InlineData("cursor=abc", "cursor")]
    [InlineData("status=done", "status")]
    [InlineData("order=up", "order")]
    [InlineData("include=all", "include")]
    public async Task Bad_parameters_are_named(string query, string field)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        ApiAssert.InvalidField(await host.SendAsync(HttpMethod.Get, "/api/inbox?" + query, key), field);
        Assert.Empty(host.Events.Queries);
    }

    [Fact]
    public async Task Payloads_come_out_byte_for_byte()
    {
        const string Payload = """{ "b":1.0e400 ,"a" : "\u00e9é/\/<>", "n":12345678901234567890123, "b":[ ] }""";
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var id = host.AddEvent(organization, Payload);
        foreach (var path in new[] { "/api/inbox", $"/api/events/{id}" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-API-Key", key);
            using var response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
            Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes("\"payload\":" + Payload + ",")) > 0);
        }
    }

    [Fact]
    public async Task A_page_larger_than_any_buffer_arrives_whole()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var payload = $$"""{"text":"{{new string('x', 200_000)}}"}""";
        for (var i = 0; i < 40; i++) host.AddEvent(organization, payload);
        var (_, body, _) = await host.SendAsync(HttpMethod.Get, "/api/inbox", key);
        Assert.Equal(40, body["events"]!.AsArray().Count(stored => ((string?)stored!["payload"]!["text"])!.Length == 200_000));
    }

    [Theory]
    [InlineData("/api/inbox")]
    [InlineData("/api/events/" + Samples.UnknownId)]
    public async Task A_store_that_is_behind_or_away_is_503(string path)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        host.BarrierHolds = false;
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Get, path, key));
        Assert.Empty(host.Events.Queries);

        host.BarrierHolds = true;
        host.Events.Failure = new StoreException(StoreFailure.Unavailable, "The database is away.");
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Get, path, key));
    }
}
