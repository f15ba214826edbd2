using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresInboxMarkTests(PostgresFixture fixture) : InboxMarkConformance<PostgresFixture>(fixture);

public sealed class SqliteInboxMarkTests(SqliteFixture fixture) : InboxMarkConformance<SqliteFixture>(fixture);

/// <summary>The mark below which nothing is pending: who moves it, who lowers it, and that no page shows it.</summary>
public abstract class InboxMarkConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    /// <summary>Each batch is another journal's, so those with older ids are late.</summary>
    private readonly int _shard = StoreFixture.NextNumber();

    [Fact]
    public async Task It_moves_up_to_the_first_pending_event()
    {
        var (scene, ids) = await SceneAsync(8);
        await scene.AcknowledgeAsync(Now, ids[0], ids[1], ids[6]);
        await scene.RecordAsync(scene.Delivered(ids[2]), scene.Failed(ids[3], 1, Now), scene.Dead(ids[4], 9));

        Assert.False(await AdvanceAsync(scene));

        Assert.Equal(ids[5], await MarkAsync(scene));
        Assert.Equal([ids[5], ids[7]], await scene.InboxAsync(EventStatus.Pending));
        Assert.False(await AdvanceAsync(scene));
        Assert.Equal(ids[5], await MarkAsync(scene));
    }

    [Fact]
    public async Task It_moves_by_chunks_to_the_end_and_on_behind_later_ones()
    {
        var (scene, ids) = await SceneAsync(5);
        await scene.AcknowledgeAsync(Now, ids);

        Assert.True(await AdvanceAsync(scene, limit: 2));
        Assert.Equal(ids[2], await MarkAsync(scene));
        Assert.True(await AdvanceAsync(scene, limit: 2));
        Assert.False(await AdvanceAsync(scene, limit: 2));

        Assert.Equal(ids[4], await MarkAsync(scene));
        Assert.Empty(await scene.InboxAsync(EventStatus.Pending));
        var more = await AppendAsync(scene.Events.Many(2));
        Assert.Equal(ids[4], await MarkAsync(scene));
        Assert.Equal(more, await scene.InboxAsync(EventStatus.Pending));
        await scene.AcknowledgeAsync(Now, more[0]);
        Assert.False(await AdvanceAsync(scene));
        Assert.Equal(more[1], await MarkAsync(scene));
    }

    [Fact]
    public async Task Pages_and_their_total_begin_at_it()
    {
        var (scene, ids) = await SceneAsync(6);
        await SetMarkAsync(scene, ids[2]); // wrong on purpose: what is below it is not looked at

        foreach (var type in (string?[])[null, "user.created"])
        {
            var query = new InboxQuery
            {
                OrganizationNo = scene.OrganizationNo,
                Status = EventStatus.Pending,
                Type = type,
                IncludeTotal = true,
            };
            await AssertPageAsync(ids[2..], query with { Ascending = true });
            await AssertPageAsync(ids[2..].Reverse(), query);
            await AssertPageAsync(ids[2..], query with { Ascending = true, Cursor = ids[0], NotBefore = ids[1] });
            await AssertPageAsync(ids[4..], query with { Ascending = true, Cursor = ids[3] }, total: 4);
            await AssertPageAsync(ids[5..], query with { Ascending = true, Cursor = ids[4], NotBefore = ids[3] }, total: 3);
            await AssertPageAsync([ids[2]], query with { Cursor = ids[3] }, total: 4);
        }

        Assert.Equal(ids, await scene.InboxAsync(status: null));
    }

    [Fact]
    public async Task An_event_that_is_stored_late_lowers_it()
    {
        var (scene, ids) = await SceneAsync(3);
        await scene.AcknowledgeAsync(Now, ids);
        await AdvanceAsync(scene);
        var late = await AppendLateAsync(scene.OrganizationNo, Now.AddMinutes(-90));

        Assert.Equal(late, await MarkAsync(scene));
        Assert.Equal([late], await scene.InboxAsync(EventStatus.Pending));
        await scene.AcknowledgeAsync(Now, late);
        await AdvanceAsync(scene);
        Assert.Equal(ids[^1], await MarkAsync(scene));
    }

    [Fact]
    public async Task A_late_event_below_none_claims_nothing()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await AppendAsync(scene.Events.Many(2)); // nothing is stored behind them
        Assert.Null(await MarkAsync(scene));

        var late = await AppendLateAsync(scene.OrganizationNo, Now.AddMinutes(-90));
        Assert.Equal(default(EventId), await MarkAsync(scene));
        Assert.Equal([late, .. ids], await scene.InboxAsync(EventStatus.Pending));
    }

    [Fact]
    public async Task An_endpoint_that_is_removed_lowers_it_to_its_oldest_retry()
    {
        var (scene, ids) = await SceneAsync(4);
        await scene.AcknowledgeAsync(Now, ids[0], ids[2]);
        await scene.RecordAsync(scene.Failed(ids[1], 1, Now.AddHours(1)), scene.Failed(ids[3], 1, Now.AddHours(1)));
        await AdvanceAsync(scene);
        Assert.Equal(ids[^1], await MarkAsync(scene));

        await scene.Store.DeleteEndpointAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, CancellationToken.None);

        Assert.Equal(ids[1], await MarkAsync(scene));
        Assert.Equal([ids[1], ids[3]], await scene.InboxAsync(EventStatus.Pending));
    }

    [Fact]
    public async Task A_dead_letter_that_is_sent_again_is_pending_when_its_endpoint_goes()
    {
        var (scene, ids) = await SceneAsync(2);
        await scene.AcknowledgeAsync(Now, ids[1]);
        await scene.RecordAsync(scene.Dead(ids[0], 9));
        await AdvanceAsync(scene);
        await scene.ReplayAsync(ids[0], Now);

        await scene.Store.DeleteEndpointAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, CancellationToken.None);

        Assert.Equal([ids[0]], await scene.InboxAsync(EventStatus.Pending));
    }

    [Fact]
    public async Task An_organization_without_events_has_none()
    {
        var scene = await DeliveryScene.SetAsync(fixture);

        Assert.False(await AdvanceAsync(scene));

        Assert.Null(await MarkAsync(scene) is { IsZero: false } mark ? mark : null);
    }

    /// <summary>Whatever happens in whatever order, a pending page is what the rows say one by one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_page_is_as_without_it(int seed)
    {
        var random = new Random(seed);
        var (scene, first) = await SceneAsync(10);
        var ids = first.ToList();
        for (var step = 0; step < 60; step++)
        {
            EventId Any() => ids[random.Next(ids.Count)];
            switch (random.Next(9))
            {
                case 0:
                    scene.Events.UnixMilliseconds += random.Next(1, 120_000);
                    ids.AddRange(await AppendAsync(scene.Events.Many(random.Next(1, 4))));
                    break;
                case 1:
                    ids.Add(await AppendLateAsync(scene.OrganizationNo, Now.AddMinutes(-30 - random.Next(60))));
                    break;
                case 2:
                    await scene.RecordAsync(scene.Failed(Any(), 1, Now.AddHours(1)));
                    break;
                case 3:
                    await scene.RecordAsync(random.Next(2) == 0 ? scene.Delivered(Any()) : scene.Dead(Any(), 9));
                    break;
                case 4:
                    await scene.Store.DeleteEndpointAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, CancellationToken.None);
                    await scene.Store.SaveEndpointAsync(scene.Endpoint, CancellationToken.None);
                    break;
                case 5 or 6:
                    await scene.AcknowledgeAsync(Now, [.. ids.Order().Take(random.Next(1, ids.Count))]);
                    break;
                default:
                    await AdvanceAsync(scene, random.Next(1, 8));
                    break;
            }

            await AssertAsWithoutAsync(scene, ids, random);
        }
    }

    private async Task AssertAsWithoutAsync(DeliveryScene scene, List<EventId> ids, Random random)
    {
        // The status that each row tells does not ask the mark.
        var pending = (await fixture.ReadAllAsync(scene.OrganizationNo)).Where(
            one => one.Status == EventStatus.Pending).Select(one => one.Id).ToList();
        var (cursor, notBefore) = (ids[random.Next(ids.Count)], ids[random.Next(ids.Count)]);
        var query = new InboxQuery
        {
            OrganizationNo = scene.OrganizationNo,
            Status = EventStatus.Pending,
            Limit = 1000,
            IncludeTotal = true,
        };
        await AssertPageAsync(pending, query with { Ascending = true });
        await AssertPageAsync(Enumerable.Reverse(pending), query);
        var later = query with { NotBefore = notBefore, Type = random.Next(2) == 0 ? "user.created" : null };
        var total = pending.Count(id => id >= notBefore);
        await AssertPageAsync(
            pending.Where(id => id >= notBefore && id > cursor), later with { Ascending = true, Cursor = cursor }, total);
        await AssertPageAsync(
            Enumerable.Reverse(pending).Where(id => id >= notBefore && id < cursor), later with { Cursor = cursor }, total);
    }

    private async Task AssertPageAsync(IEnumerable<EventId> expected, InboxQuery query, int? total = null)
    {
        var page = await fixture.Stores.Events.ReadInboxAsync(query, CancellationToken.None);
        Assert.Equal(expected, page.Events.Select(one => one.Id));
        Assert.Equal(total ?? page.Events.Count, page.Total);
    }

    /// <summary>Events of an hour ago.</summary>
    private async Task<(DeliveryScene Scene, EventId[] Ids)> SceneAsync(int count)
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        scene.Events.UnixMilliseconds = Now.AddHours(-1).ToUnixTimeMilliseconds();
        return (scene, await AppendAsync(scene.Events.Many(count)));
    }

    private async Task<EventId> AppendLateAsync(int organizationNo, DateTimeOffset at) =>
        (await AppendAsync(new TestEvents(organizationNo, at).Next()))[0];

    private async Task<EventId[]> AppendAsync(params JournaledEvent[] batch)
    {
        await (await ShardWriter.ClaimAsync(fixture.Stores.Events, _shard)).AppendAsync(batch);
        return [.. batch.Select(one => one.Id)];
    }

    private Task<bool> AdvanceAsync(DeliveryScene scene, int limit = 100) =>
        fixture.Stores.Events.AdvanceInboxMarkAsync(scene.OrganizationNo, limit, CancellationToken.None);

    private async Task<EventId?> MarkAsync(DeliveryScene scene)
    {
        var text = await fixture.ScalarAsync(
            $"SELECT {(fixture is PostgresFixture ? "settled_before::text" : "hex(settled_before)")} FROM inbox_marks WHERE organization_no = {scene.OrganizationNo}");
        return text is string mark ? EventId.FromGuid(Guid.Parse(mark)) : null;
    }

    private Task SetMarkAsync(DeliveryScene scene, EventId id)
    {
        var value = fixture is PostgresFixture ? $"'{id}'" : $"x'{Convert.ToHexString(id.ToByteArray())}'";
        return fixture.ScalarAsync(
            $"INSERT INTO inbox_marks (organization_no, settled_before, lowered) VALUES ({scene.OrganizationNo}, {value}, 0)");
    }
}
