using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

public sealed class PostgresReadsSeeWrites(PostgresBackedServer fixture) : ReadsSeeWrites<PostgresBackedServer>(fixture);

public sealed class SqliteReadsSeeWrites(SqliteServer fixture) : ReadsSeeWrites<SqliteServer>(fixture);

/// <summary>What was answered is seen by the next call, and by nobody else's.</summary>
public abstract class ReadsSeeWrites<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Body = """{"type":"a","payload":{}}""";

    [Fact]
    public async Task The_inbox_shows_an_event_as_soon_as_it_is_answered()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        for (var n = 0; n < 200; n++)
        {
            var id = (await tenant.PostEventAsync(Body)).Accepted();
            var page = await tenant.GetAsync("/api/inbox?limit=1");
            Assert.Equal(id, Assert.Single(InboxEvent.ReadPage(page.Bytes)).Id);
        }
    }

    [Fact]
    public async Task An_event_can_be_read_and_acknowledged_as_soon_as_it_is_answered()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        for (var n = 0; n < 50; n++)
        {
            var id = (await tenant.PostEventAsync(Body)).Accepted();
            Assert.Equal(200, (await tenant.PostAsync(n % 2 == 0 ? $"/api/ack/{id}" : $"/inbox/ack/{id}")).Status);
            Assert.Equal("delivered", (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"]);
        }

        Assert.Empty(await tenant.ReadInboxAsync("&status=pending"));
    }

    [Fact]
    public async Task Many_are_acknowledged_as_soon_as_they_are_answered()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => tenant.PostEventAsync(Body)));
        var ids = new JsonArray([.. replies.Select(reply => JsonValue.Create(reply.Accepted()))]);

        var reply = await tenant.PostAsync("/api/inbox/ack", new JsonObject { ["event_ids"] = ids }.ToJsonString());

        Assert.Equal("""{"acknowledged":100,"failed":0,"failed_ids":[]}""", reply.Text);
    }

    [Fact]
    public async Task Whoever_follows_the_inbox_while_many_write_misses_nothing()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var ids = new List<string>();
            for (var n = 0; n < 100; n++) ids.Add((await tenant.PostEventAsync(Body)).Accepted());
            return ids;
        }));

        var seen = new List<string>();
        while (seen.Count < 800)
        {
            var isWritten = writing.IsCompleted;
            var cursor = seen.Count > 0 ? $"&cursor={seen[^1]}" : "";
            var page = await tenant.GetAsync($"/api/inbox?order=asc&limit=37{cursor}");
            var ids = InboxEvent.ReadPage(page.Bytes).Select(found => found.Id).ToList();
            seen.AddRange(ids);
            Assert.False(isWritten && ids.Count == 0, "The end was reached without all events.");
        }

        Assert.Equal((await writing).SelectMany(ids => ids).Order(StringComparer.Ordinal), seen);
    }

    [Fact]
    public async Task A_cursor_outlives_a_change_of_the_key()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var ids = new List<string>();
        for (var n = 0; n < 5; n++) ids.Add((await tenant.PostEventAsync(Body)).Accepted());
        var rotated = await tenant.PostAsync("/api/keys/rotate");
        var renewed = new Tenant(fixture.Server, tenant.OrganizationId, (string)rotated.Json["api_key"]!);
        ids.Add((await renewed.PostEventAsync(Body)).Accepted());

        var page = await renewed.GetAsync($"/api/inbox?order=asc&cursor={ids[2]}");

        Assert.Equal(ids[3..], InboxEvent.ReadPage(page.Bytes).Select(found => found.Id));
    }

    [Fact]
    public async Task Another_organization_s_event_is_answered_like_none()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var other = await fixture.Server.NewTenantAsync();
        var id = (await other.PostEventAsync(Body)).Accepted();

        Func<string, Task<Reply>>[] calls = [id => tenant.GetAsync($"/api/events/{id}"), id => tenant.PostAsync($"/api/ack/{id}")];

        foreach (var call in calls)
        {
            var others = await call(id);
            var unknown = await call("01890000-0000-7000-8000-000000000000");
            others.Problem(404, "event_not_found", "Event not found");
            Assert.Equal(unknown.Text, others.Text);
        }

        Assert.Empty(await tenant.ReadInboxAsync());
        Assert.Equal("pending", Assert.Single(await other.ReadInboxAsync()).Status);
    }
}
