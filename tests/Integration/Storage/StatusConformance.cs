using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresStatusTests(PostgresFixture fixture) : StatusConformance<PostgresFixture>(fixture);

public sealed class SqliteStatusTests(SqliteFixture fixture) : StatusConformance<SqliteFixture>(fixture);

/// <summary>Acknowledgements, and where an event stands: told by the row and matched by the filter.</summary>
public abstract class StatusConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    [Fact]
    public async Task Each_status_is_derived_and_filtered_alike()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(6);
        await scene.RecordAsync(
            scene.Delivered(ids[1]),
            scene.Failed(ids[2], 1, Now.AddHours(1)),
            scene.Dead(ids[3], 9),
            scene.Failed(ids[4], 1, Now.AddHours(1)),
            scene.Dead(ids[5], 9));
        await scene.AcknowledgeAsync(Now, ids[4], ids[5]);

        EventStatus[] expected =
        [
            EventStatus.Pending, EventStatus.Delivered, EventStatus.Failed,
            EventStatus.DeadLetter, EventStatus.Delivered, EventStatus.Delivered,
        ];
        var stored = await fixture.ReadAllAsync(scene.OrganizationNo);
        Assert.Equal(expected, stored.Select(found => found.Status));
        foreach (var status in Enum.GetValues<EventStatus>())
            Assert.Equal(stored.Where(found => found.Status == status).Select(found => found.Id), await scene.InboxAsync(status));
    }

    [Fact]
    public async Task One_endpoint_that_has_it_outweighs_another_that_has_not()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(2);
        var other = Guid.NewGuid();
        await scene.RecordAsync(
            scene.Delivered(ids[0]),
            scene.Failed(ids[0], 1, Now.AddHours(1)) with { EndpointId = other },
            scene.Dead(ids[1], 9),
            scene.Failed(ids[1], 2, Now.AddHours(1)) with { EndpointId = other });

        var stored = await fixture.ReadAllAsync(scene.OrganizationNo);
        Assert.Equal([EventStatus.Delivered, EventStatus.Failed], stored.Select(found => found.Status));
        Assert.Equal([2, 11], stored.Select(found => found.Attempts));
        Assert.Equal([ids[1]], await scene.InboxAsync(EventStatus.Failed));
        Assert.Empty(await scene.InboxAsync(EventStatus.DeadLetter));
    }

    [Fact]
    public async Task The_first_acknowledgement_stays()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(1);

        Assert.Equal([Now], await scene.AcknowledgeAsync(Now, ids[0]));
        Assert.Equal([Now], await scene.AcknowledgeAsync(Now.AddHours(1), ids[0]));

        var found = (await scene.FindAsync(ids[0])).Event;
        Assert.Equal(Now, found.AcknowledgedAt);
        Assert.Equal(Now, found.UpdatedAt);
    }

    [Fact]
    public async Task Of_acknowledgements_at_one_time_each_event_counts_in_one()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(3);

        Assert.Equal(2, (await scene.CountAcknowledgedAsync(Now, ids[0], scene.Events.Next().Id, ids[1], ids[0])).New);
        Assert.Equal(1, (await scene.CountAcknowledgedAsync(Now, ids)).New);
        Assert.Equal(0, (await scene.CountAcknowledgedAsync(Now, ids)).New);
    }

    [Fact]
    public async Task Answers_are_in_input_order_and_null_for_what_is_not_the_organizations()
    {
        var (scene, other) = (await DeliveryScene.SetAsync(fixture), await DeliveryScene.SetAsync(fixture));
        var (ids, foreign) = (await scene.AppendAsync(2), await other.AppendAsync(1));

        var answers = await scene.AcknowledgeAsync(Now, ids[1], foreign[0], scene.Events.Next().Id, ids[0], ids[1]);

        Assert.Equal([Now, null, null, Now, Now], answers);
        Assert.Equal(foreign, await other.InboxAsync(EventStatus.Pending));
    }

    [Fact]
    public async Task An_acknowledged_event_is_not_tried_again()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(2);
        await scene.RecordAsync(scene.Failed(ids[0], 1, Now));
        await scene.AcknowledgeAsync(Now, ids);

        await scene.RecordAsync(scene.Failed(ids[1], 1, Now));

        Assert.DoesNotContain(await scene.ClaimAsync(Now.AddYears(1)), retry => retry.OrganizationNo == scene.OrganizationNo);
        Assert.Empty((await scene.ReadLaneAsync(default)).Events);
    }
}
