using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresLaneTests(PostgresFixture fixture) : LaneConformance<PostgresFixture>(fixture);

public sealed class SqliteLaneTests(SqliteFixture fixture) : LaneConformance<SqliteFixture>(fixture);

/// <summary>Endpoints, their cursors, and what a lane has still to send.</summary>
public abstract class LaneConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    private IDeliveryStore Store => fixture.Stores.Deliveries;

    [Fact]
    public async Task A_saved_endpoint_is_loaded_and_a_second_save_changes_it_but_not_its_cursor()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        Assert.Equal(scene.Endpoint, await LoadAsync(scene));

        var changed = scene.Endpoint with
        {
            Url = "http://other.example/",
            Secret = "whsec_AAAA",
            Enabled = false,
            DisabledReason = "410",
            UpdatedAt = Now.AddMinutes(1),
        };
        await Store.SaveEndpointAsync(
            changed with { DeliveredThrough = scene.Events.Next().Id, CreatedAt = Now.AddDays(1) },
            CancellationToken.None);

        Assert.Equal(changed, await LoadAsync(scene));
    }

    [Fact]
    public async Task A_second_default_endpoint_is_refused_and_leaves_no_trace()
    {
        var organizationNo = StoreFixture.NextNumber();
        await Store.SaveEndpointAsync(DeliveryScene.NewEndpoint(organizationNo, isDefault: true), CancellationToken.None);

        var exception = await Assert.ThrowsAsync<StoreException>(
            () => Store.SaveEndpointAsync(DeliveryScene.NewEndpoint(organizationNo, isDefault: true), CancellationToken.None));

        Assert.Equal(StoreFailure.RowRefused, exception.Failure);
        await Store.SaveEndpointAsync(DeliveryScene.NewEndpoint(organizationNo), CancellationToken.None);
        var loaded = await Store.LoadEndpointsAsync(CancellationToken.None);
        Assert.Equal(2, loaded.Count(endpoint => endpoint.OrganizationNo == organizationNo));
        Assert.Equal(
            2L,
            Convert.ToInt64(await fixture.ScalarAsync($"SELECT count(*) FROM lanes WHERE organization_no = {organizationNo}")));
    }

    [Fact]
    public async Task What_is_settled_for_the_endpoint_is_passed_over()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(6);
        await scene.RecordAsync(
            scene.Delivered(ids[0]),
            scene.Failed(ids[2], 1, Now.AddHours(1)),
            scene.Dead(ids[3], 9),
            scene.Delivered(ids[4]) with { EndpointId = Guid.NewGuid() });
        await scene.AcknowledgeAsync(Now, ids[5]);

        var page = await scene.ReadLaneAsync(default);

        Assert.Equal([ids[1], ids[4]], page.Events.Select(due => due.Id));
        Assert.Equal(ids[5], page.ScannedThrough);
        var after = await scene.ReadLaneAsync(ids[5]);
        Assert.Empty(after.Events);
        Assert.Equal(ids[5], after.ScannedThrough);
    }

    [Fact]
    public async Task A_read_goes_on_when_all_of_it_was_settled()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(5);
        await scene.RecordAsync([.. ids[..4].Select(id => scene.Delivered(id))]);

        var first = await scene.ReadLaneAsync(default, limit: 2);
        var second = await scene.ReadLaneAsync(first.ScannedThrough, limit: 2);
        var third = await scene.ReadLaneAsync(second.ScannedThrough, limit: 2);

        Assert.Empty(first.Events);
        Assert.Empty(second.Events);
        Assert.Equal((ids[1], ids[3]), (first.ScannedThrough, second.ScannedThrough));
        Assert.Equal([ids[4]], third.Events.Select(due => due.Id));
    }

    [Fact]
    public async Task Payload_bytes_limit_a_read_but_one_event_always_comes()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var payload = $$"""{"x":"{{new string('x', 1000)}}"}""";
        var ids = await scene.AppendAsync(
            scene.Events.Next("t", payload, orderingKey: "k"),
            scene.Events.Next("t", payload),
            scene.Events.Next("t", payload));

        var one = await scene.ReadLaneAsync(default, maxBytes: 1);
        var two = await scene.ReadLaneAsync(default, maxBytes: 1500);

        Assert.Equal(ids[..1], one.Events.Select(due => due.Id));
        Assert.Equal(ids[0], one.ScannedThrough);
        Assert.Equal(
            ("t", "k", payload),
            (one.Events[0].Type, one.Events[0].OrderingKey, System.Text.Encoding.UTF8.GetString(one.Events[0].Payload)));
        Assert.Equal(ids[..2], two.Events.Select(due => due.Id));
        Assert.Equal(ids[1], two.ScannedThrough);
    }

    [Theory]
    [InlineData]
    [InlineData("t", "other")]
    public async Task The_trace_comes_along(params string[] patterns)
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        await scene.AppendAsync(scene.Events.Traced(), scene.Events.Next("t"));

        var page = await scene.ReadLaneAsync(default, patterns: patterns);

        Assert.Equal([TestEvents.Trace, default], page.Events.Select(due => due.TraceParent));
    }

    [Fact]
    public async Task A_cursor_never_goes_back()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(3);

        await MoveAsync(scene, ids[0], ids[2], ids[1]);
        await MoveAsync(scene, ids[1]);

        Assert.Equal(ids[2], (await LoadAsync(scene)).DeliveredThrough);
    }

    [Fact]
    public async Task A_lane_that_was_set_back_takes_no_cursor_from_before_that()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(3);
        await MoveAsync(scene, ids[2]);

        await Store.RewindLanesAsync(
            [new LaneCursor(scene.OrganizationNo, scene.Endpoint.Id, ids[0], Generation: 0)], CancellationToken.None);
        await MoveAsync(scene, ids[2]);

        var back = await LoadAsync(scene);
        Assert.Equal((ids[0], 1), (back.DeliveredThrough, back.LaneGeneration));
        await Store.RecordAsync(
            new DeliveryBatch(
                [], [new LaneCursor(scene.OrganizationNo, scene.Endpoint.Id, ids[1], back.LaneGeneration)]), CancellationToken.None);
        Assert.Equal(ids[1], (await LoadAsync(scene)).DeliveredThrough);
    }

    [Fact]
    public async Task Since_when_an_endpoint_fails_is_kept_until_it_does_not()
    {
        var scene = await DeliveryScene.SetAsync(fixture);

        await Store.SaveHealthAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, Now.AddMinutes(5), CancellationToken.None);
        await Store.SaveHealthAsync(scene.OrganizationNo + 1, scene.Endpoint.Id, Now.AddDays(1), toldAt: null, CancellationToken.None);
        await Store.SaveEndpointAsync(scene.Endpoint with { DisabledAt = Now.AddHours(1) }, CancellationToken.None);

        var failing = await LoadAsync(scene);
        Assert.Equal((Now, Now.AddMinutes(5), Now.AddHours(1)), (failing.FailingSince, failing.FailingToldAt, failing.DisabledAt));
        await Store.SaveHealthAsync(scene.OrganizationNo, scene.Endpoint.Id, failingSince: null, toldAt: null, CancellationToken.None);
        var well = await LoadAsync(scene);
        Assert.Equal((null, null), (well.FailingSince, well.FailingToldAt));
    }

    [Fact]
    public async Task Setting_back_moves_no_lane_forward_and_no_other_one()
    {
        var (scene, other) = (await DeliveryScene.SetAsync(fixture), await DeliveryScene.SetAsync(fixture));
        var ids = await scene.AppendAsync(2);
        await MoveAsync(scene, ids[0]);

        await Store.RewindLanesAsync(
            [
                new LaneCursor(scene.OrganizationNo, scene.Endpoint.Id, ids[1], Generation: 0),
                new LaneCursor(other.OrganizationNo, scene.Endpoint.Id, default, Generation: 0),
            ],
            CancellationToken.None);

        var stored = await LoadAsync(scene);
        Assert.Equal((ids[0], 0), (stored.DeliveredThrough, stored.LaneGeneration));
    }

    [Fact]
    public async Task All_of_an_endpoint_is_kept_and_changed()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var id = scene.Events.Next().Id;
        var full = scene.Endpoint with
        {
            Description = "for größe \"1\"",
            Headers = new EqualList<EndpointHeader>(new EndpointHeader("Authorization", "Bearer a\"b\\c"), new EndpointHeader("X-A", "")),
            RateLimitPerSecond = 5,
            MaxInFlight = 6,
            TimeoutSeconds = 7,
            RetrySchedule = new EqualList<int>(1, 604_800),
            Ordering = EndpointOrdering.Key,
            Format = WebhookFormat.CloudEvents,
            PreviousSecret = "whsec_BBBB",
            PreviousSecretUntil = Now.AddDays(1),
            Filters = new EndpointFilters(
                [new FilterVersion(default, EventTypePatterns.All), new FilterVersion(id, new EventTypePatterns(["user.*", "größe"]))]),
        };
        await Store.SaveEndpointAsync(full with { StartsAfter = id }, CancellationToken.None);
        Assert.Equal(full, await LoadAsync(scene));

        await Store.SaveEndpointAsync(full, CancellationToken.None);
        Assert.Equal(full, await LoadAsync(scene));

        await Store.SaveEndpointAsync(scene.Endpoint with { RetrySchedule = EqualList<int>.Empty }, CancellationToken.None);
        Assert.Equal(scene.Endpoint with { RetrySchedule = EqualList<int>.Empty }, await LoadAsync(scene));
    }

    [Fact]
    public async Task A_lane_begins_at_its_first_place()
    {
        var organizationNo = StoreFixture.NextNumber();
        var place = new TestEvents(organizationNo).Next().Id;
        var made = DeliveryScene.NewEndpoint(organizationNo) with { StartsAfter = place, DeliveredThrough = place };

        await Store.SaveEndpointAsync(made, CancellationToken.None);

        var loaded = (await Store.LoadEndpointsAsync(CancellationToken.None)).Single(endpoint => endpoint.Id == made.Id);
        Assert.Equal(made, loaded);
        Assert.Equal(place, loaded.FirstPlace);
        Assert.Equal(EventId.LowerBound(made.CreatedAt), (made with { StartsAfter = null }).FirstPlace);
    }

    [Fact]
    public async Task A_removed_endpoint_leaves_its_outcomes_and_nothing_else()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        await Store.SaveEndpointAsync(
            scene.Endpoint with { Filters = new EndpointFilters([new FilterVersion(default, new EventTypePatterns(["a"]))]) },
            CancellationToken.None);
        var other = DeliveryScene.NewEndpoint(scene.OrganizationNo);
        await Store.SaveEndpointAsync(other, CancellationToken.None);
        var ids = await scene.AppendAsync(3);
        await scene.RecordAsync(
            scene.Delivered(ids[0]), scene.Failed(ids[1], 1, Now), scene.Failed(ids[2], 1, Now) with { EndpointId = other.Id });

        await Store.DeleteEndpointAsync(scene.OrganizationNo + 1, scene.Endpoint.Id, Now, CancellationToken.None);
        Assert.Equal(2, (await Store.LoadEndpointsAsync(CancellationToken.None)).Count(one => one.OrganizationNo == scene.OrganizationNo));
        await Store.DeleteEndpointAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, CancellationToken.None);
        await Store.DeleteEndpointAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, CancellationToken.None);

        Assert.Equal(
            other.Id,
            (await Store.LoadEndpointsAsync(CancellationToken.None)).Single(one => one.OrganizationNo == scene.OrganizationNo).Id);
        foreach (var (table, left) in ((string, long)[])[("lanes", 1), ("endpoint_filters", 0), ("retries", 1), ("outcomes", 1), ("attempts", 2)])
            Assert.Equal(
                left,
                Convert.ToInt64(await fixture.ScalarAsync($"SELECT count(*) FROM {table} WHERE organization_no = {scene.OrganizationNo}")));
        Assert.Equal(EventStatus.Pending, (await scene.FindAsync(ids[1])).Event.Status);
    }

    [Fact]
    public async Task Types_that_do_not_match_are_looked_at_and_passed_over()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        string[] types =
            ["user.created", "user", "users.x", "User.x", "order.paid", "order.paid.x", "user.", "user.größe", "us%r.x", "user_x", "x"];
        var ids = await scene.AppendAsync([.. types.Select(type => scene.Events.Next(type))]);
        await scene.RecordAsync(scene.Delivered(ids[0]));

        var page = await scene.ReadLaneAsync(default, patterns: ["user.*", "order.paid"]);

        Assert.Equal(["order.paid", "user.", "user.größe"], page.Events.Select(due => due.Type));
        Assert.Equal(ids[^1], page.ScannedThrough);
        var none = await scene.ReadLaneAsync(default, patterns: ["other"]);
        Assert.Empty(none.Events);
        Assert.Equal(ids[^1], none.ScannedThrough);
        Assert.Equal(types.Length - 1, (await scene.ReadLaneAsync(default, patterns: ["other", "*"])).Events.Count);
    }

    [Fact]
    public async Task A_read_with_patterns_ends_by_count_and_by_bytes_of_what_matches()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var payload = $$"""{"x":"{{new string('x', 1000)}}"}""";
        var ids = await scene.AppendAsync([.. Enumerable.Range(0, 12).Select(i => scene.Events.Next(i % 3 == 2 ? "a.b" : "c", payload))]);
        EventId[] matching = [ids[2], ids[5], ids[8], ids[11]];

        foreach (var (limit, bytes, expected) in ((int, int, int)[])[(3, 1 << 20, 3), (100, 1500, 2), (100, 1, 1), (1, 1500, 1)])
        {
            var page = await scene.ReadLaneAsync(default, limit, bytes, "a.*");
            Assert.Equal(matching[..expected], page.Events.Select(due => due.Id));
            Assert.InRange(Array.IndexOf(ids, page.ScannedThrough) - Array.IndexOf(ids, matching[expected - 1]), 0, 2);
            var rest = await scene.ReadLaneAsync(page.ScannedThrough, patterns: "a.*");
            Assert.Equal(matching[expected..], rest.Events.Select(due => due.Id));
        }
    }

    [Fact]
    public async Task Few_that_match_among_many_are_found_in_few_reads()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync([.. Enumerable.Range(0, 1500).Select(i => scene.Events.Next(i == 1400 ? "a" : "b"))]);

        var first = await scene.ReadLaneAsync(default, limit: 8, patterns: "a");
        var second = await scene.ReadLaneAsync(first.ScannedThrough, limit: 8, patterns: "a");

        Assert.Empty(first.Events);
        Assert.Equal(ids[LaneRead.MostLookedAt - 1], first.ScannedThrough);
        Assert.Equal([ids[1400]], second.Events.Select(due => due.Id));
        Assert.Equal(ids[^1], second.ScannedThrough);
    }

    private static Task MoveAsync(DeliveryScene scene, params EventId[] through) => scene.Store.RecordAsync(
        new DeliveryBatch([], [.. through.Select(id => new LaneCursor(scene.OrganizationNo, scene.Endpoint.Id, id, Generation: 0))]),
        CancellationToken.None);

    private async Task<EndpointRecord> LoadAsync(DeliveryScene scene) =>
        (await Store.LoadEndpointsAsync(CancellationToken.None)).Single(endpoint => endpoint.Id == scene.Endpoint.Id);
}
