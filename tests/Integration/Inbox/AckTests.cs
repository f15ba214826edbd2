using System.Net;
using System.Text.Json.Nodes;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Integration.Accounts;

namespace ZapierTriggers.Tests.Integration.Inbox;

public sealed class AckTests
{
    [Theory]
    [InlineData("/api/ack/")]
    [InlineData("/ack/")]
    [InlineData("/api/inbox/ack/")]
    [InlineData("/inbox/ack/")]
    public async Task One_event_is_acknowledged_and_again_with_the_same_answer(string path)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var id = host.AddEvent(organization);
        var (status, body, _) = await host.SendAsync(HttpMethod.Post, path + id, key);

        Assert.Equal(HttpStatusCode.OK, status);
        ApiAssert.Fields(body, "success", "id", "event_id", "status", "acknowledged_at", "message");
        Assert.True((bool?)body["success"]);
        Assert.Equal(id.ToString(), (string?)body["id"]);
        Assert.Equal(id.ToString(), (string?)body["event_id"]);
        Assert.Equal("delivered", (string?)body["status"]);
        Assert.Equal("2025-03-01T12:00:30.250Z", (string?)body["acknowledged_at"]);
        var notice = Assert.Single(host.Notices);
        Assert.Equal(organization.No, notice.OrganizationNo);
        Assert.Equal([id], notice.Ids);

        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(body.ToJsonString(), (await host.SendAsync(HttpMethod.Post, path + id, key, "{}")).Body.ToJsonString());
    }

    [Fact]
    public async Task Foreign_unknown_and_malformed_ids_are_the_same_404_and_are_told_to_nobody()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        var (_, other) = await host.RegisterAsync("Other");
        var foreign = host.AddEvent(other);
        foreach (var id in new[] { foreign.ToString(), Samples.UnknownId, "abc" })
        {
            ApiAssert.Problem(await host.SendAsync(HttpMethod.Post, $"/api/ack/{id}", key), 404, "event_not_found", "Event not found");
        }

        Assert.Empty(host.Notices);
    }

    [Theory]
    [InlineData("/api/inbox/ack")]
    [InlineData("/inbox/ack")]
    [InlineData("/api/ack")]
    [InlineData("/ack")]
    public async Task Many_events_are_acknowledged_and_the_others_named(string path)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var (_, other) = await host.RegisterAsync("Other");
        var (first, second, foreign) = (host.AddEvent(organization), host.AddEvent(organization), host.AddEvent(other));
        var ids = new JsonArray(first.ToString(), "abc", second.ToString(), Samples.UnknownId, first.ToString(), foreign.ToString());
        var (status, body, _) = await host.SendAsync(HttpMethod.Post, path, key, new JsonObject { ["event_ids"] = ids }.ToJsonString());

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal($$"""{"acknowledged":3,"failed":3,"failed_ids":["abc","{{Samples.UnknownId}}","{{foreign}}"]}""", body.ToJsonString());
        Assert.Equal(new HashSet<ZapierTriggers.Core.Events.EventId> { first, second }, Assert.Single(host.Notices).Ids.ToHashSet());
    }

    [Fact]
    public async Task Only_bad_ids_ask_the_store_nothing()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        var (_, body, _) = await host.SendAsync(HttpMethod.Post, "/api/inbox/ack", key, """{"event_ids": ["", "x"]}""");
        Assert.Equal("""{"acknowledged":0,"failed":2,"failed_ids":["","x"]}""", body.ToJsonString());
        Assert.Empty(host.Events.Acknowledgements);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"event_ids": []}""")]
    [InlineData("""{"event_ids": "x"}""")]
    [InlineData("""{"event_ids": [1]}""")]
    [InlineData("""{"event_ids": null}""")]
    public async Task Anything_but_a_list_of_ids_is_422(string json)
    {
        await using var host = await ApiHost.StartAsync();
        var (key, _) = await host.RegisterAsync();
        ApiAssert.InvalidField(await host.SendAsync(HttpMethod.Post, "/api/inbox/ack", key, json), "event_ids");
    }

    [Fact]
    public async Task A_thousand_ids_are_taken_and_one_more_is_422()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var ids = Enumerable.Range(0, 1_001).Select(_ => $"\"{host.AddEvent(organization)}\"").ToList();
        var taken = await host.SendAsync(HttpMethod.Post, "/api/inbox/ack", key, $$"""{"event_ids": [{{string.Join(", ", ids.Take(1_000))}}]}""");
        Assert.Equal(1_000, (int?)taken.Body["acknowledged"]);
        ApiAssert.InvalidField(
            await host.SendAsync(HttpMethod.Post, "/api/inbox/ack", key, $$"""{"event_ids": [{{string.Join(", ", ids)}}]}"""), "event_ids");
    }

    [Fact]
    public async Task A_store_that_is_behind_or_away_is_503_and_nobody_is_told()
    {
        await using var host = await ApiHost.StartAsync();
        var (key, organization) = await host.RegisterAsync();
        var id = host.AddEvent(organization);
        host.BarrierHolds = false;
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Post, $"/api/ack/{id}", key));
        host.BarrierHolds = true;
        host.Events.Failure = new StoreException(StoreFailure.Unavailable, "The database is away.");
        ApiAssert.StorageUnavailable(await host.SendAsync(HttpMethod.Post, "/api/ack", key, $$"""{"event_ids": ["{{id}}"]}"""));
        Assert.Empty(host.Notices);
    }
}
