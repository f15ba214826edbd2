using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresResendTests(PostgresFixture fixture) : ResendConformance<PostgresFixture>(fixture);

public sealed class SqliteResendTests(SqliteFixture fixture) : ResendConformance<SqliteFixture>(fixture);

/// <summary>Sending one event again by hand: what is owed, numbered, recorded, and how the event looks meanwhile.</summary>
public abstract class ResendConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon.AddHours(1);

    [Fact]
    public async Task A_dead_letter_waits_again_and_begins_a_new_round()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Failed(id, 1, Now.AddHours(-1)));
        await scene.RecordAsync(scene.Dead(id, 2));

        Assert.Equal(
            new Requeued(Found: true, 1),
            await scene.DeadLetters.ReplayDeadLettersAsync(scene.OrganizationNo, id, null, Now, CancellationToken.None));

        var waiting = await scene.FindAsync(id);
        Assert.Equal((EventStatus.Failed, 2, 503), (waiting.Event.Status, waiting.Event.Attempts, waiting.Event.ResponseStatus));
        Assert.Equal("gave up on try 2", waiting.Event.LastError);
        Assert.Equal((EventStatus.Failed, Now), (Assert.Single(waiting.Deliveries).Status, waiting.Deliveries[0].NextAttemptAt));
        await HasTriesAsync(scene, id, 500, 503);
        Assert.Equal(default, await scene.DeadLetters.ReplayDeadLettersAsync(scene.OrganizationNo, id, null, Now, CancellationToken.None));

        var claim = Assert.Single(await scene.ClaimAsync(Now));
        Assert.Equal((id, 3, 2, true), (claim.Event.Id, claim.Attempt, claim.Base, claim.IsReplay));
        await scene.RecordAsync(scene.Failed(claim, Now.AddMinutes(2)));
        var next = Assert.Single(await scene.ClaimAsync(Now.AddMinutes(2)));
        Assert.Equal((4, 2, false), (next.Attempt, next.Base, next.IsReplay));
        await scene.RecordAsync(scene.Dead(next));

        Assert.Equal((EventStatus.DeadLetter, 4), ((await scene.FindAsync(id)).Event.Status, (await scene.FindAsync(id)).Event.Attempts));
        await HasTriesAsync(scene, id, 500, 503, 500, 503);
        Assert.Empty(await scene.ClaimAsync(Now.AddYears(1)));
    }

    [Fact]
    public async Task Dead_letters_are_found_before_they_are_recorded()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var (id, fresh, other) = await scene.AppendAsync(3) is [var first, var second, var third] ? (first, second, third) : default;
        Task<IReadOnlyList<DeliveryResult>> FindAsync(params DeliveryResult[] results) =>
            scene.Store.FindDeadLettersAsync(results, CancellationToken.None);

        Assert.Equal([fresh, id], (await FindAsync(scene.Dead(fresh, 1), scene.Delivered(other), scene.Dead(id, 1) with { Attempt = null })).Select(one => one.EventId));
        await scene.RecordAsync(scene.Delivered(id));
        for (var i = 0; i < 2; i++) await scene.ReplayAsync(id, Now);
        Assert.Empty(await FindAsync(scene.Dead(Assert.Single(await scene.ClaimAsync(Now))))); // delivered before

        await scene.RecordAsync(scene.Failed(fresh, 1, Now));
        var claim = (await scene.ClaimAsync(Now)).Single(one => one.Event.Id == fresh);
        Assert.Single(await FindAsync(scene.Dead(claim)));
        await scene.ReplayAsync(fresh, Now);
        Assert.Empty(await FindAsync(scene.Dead(claim))); // asked for once more
    }

    [Fact]
    public async Task Each_call_sends_once_however_the_others_end()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Dead(id, 1));
        for (var i = 0; i < 3; i++) await scene.ReplayAsync(id, Now);

        var first = Assert.Single(await scene.ClaimAsync(Now));
        Assert.True(await RecordAsync(scene, scene.Failed(first, Now.AddDays(1))));
        var second = Assert.Single(await scene.ClaimAsync(Later(1)));
        Assert.Equal((3, 2, true), (second.Attempt, second.Base, second.IsReplay));
        Assert.True(await RecordAsync(scene, scene.Delivered(second)));
        var third = Assert.Single(await scene.ClaimAsync(Later(2)));
        Assert.Equal((EventStatus.Delivered, 4), ((await scene.FindAsync(id)).Event.Status, (await scene.FindAsync(id)).Event.Attempts));
        Assert.False(await RecordAsync(scene, scene.Dead(third)));

        Assert.Empty(await scene.ClaimAsync(Now.AddYears(1)));
        Assert.Equal((EventStatus.Delivered, 4, 503), await SeenAsync(scene, id));
        await HasTriesAsync(scene, id, 503, 500, 200, 503);
    }

    [Fact]
    public async Task A_delivered_event_stays_delivered_and_a_failed_replay_of_it_has_no_ladder()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Delivered(id));
        await scene.ReplayAsync(id, Now);
        Assert.Equal((EventStatus.Delivered, 1, 200), await SeenAsync(scene, id));
        var delivery = Assert.Single((await scene.FindAsync(id)).Deliveries);
        Assert.Equal((EventStatus.Delivered, Now), (delivery.Status, delivery.NextAttemptAt));

        var claim = Assert.Single(await scene.ClaimAsync(Now));
        Assert.Equal((2, 1, true), (claim.Attempt, claim.Base, claim.IsReplay));
        for (var i = 0; i < 2; i++) await scene.RecordAsync(scene.Failed(claim, Now.AddSeconds(5)));

        Assert.Equal((EventStatus.Delivered, 2, 500), await SeenAsync(scene, id));
        await HasTriesAsync(scene, id, 200, 500);
        Assert.Empty(await scene.ClaimAsync(Now.AddYears(1)));

        await scene.ReplayAsync(id, Now);
        await scene.RecordAsync(scene.Delivered(Assert.Single(await scene.ClaimAsync(Now))));
        Assert.Equal((EventStatus.Delivered, 3, 200), await SeenAsync(scene, id));
        await HasTriesAsync(scene, id, 200, 500, 200);
    }

    [Fact]
    public async Task A_waiting_retry_is_sent_at_once_and_begins_anew()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Failed(id, 1, Now.AddHours(6)));
        Assert.Empty(await scene.ClaimAsync(Now));

        await scene.ReplayAsync(id, Now);

        var claim = Assert.Single(await scene.ClaimAsync(Now));
        Assert.Equal((2, 1, true), (claim.Attempt, claim.Base, claim.IsReplay));
    }

    [Fact]
    public async Task A_try_under_way_is_not_the_one_that_was_asked_for()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Failed(id, 1, Now));
        var underWay = Assert.Single(await scene.ClaimAsync(Now, leaseUntil: Now.AddMinutes(2)));

        await scene.ReplayAsync(id, Now);
        Assert.Empty(await scene.ClaimAsync(Now));
        Assert.True(await RecordAsync(scene, scene.Delivered(underWay)));

        var replay = Assert.Single(await scene.ClaimAsync(Later(1)));
        Assert.Equal((3, true), (replay.Attempt, replay.IsReplay));
        await scene.RecordAsync(scene.Delivered(replay));
        await HasTriesAsync(scene, id, 500, 200, 200);
    }

    [Fact]
    public async Task A_record_that_comes_again_pays_no_second_debt()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Delivered(id));
        for (var i = 0; i < 2; i++) await scene.ReplayAsync(id, Now);
        var claim = Assert.Single(await scene.ClaimAsync(Now));

        for (var i = 0; i < 3; i++) await scene.RecordAsync(scene.Delivered(claim));

        var second = Assert.Single(await scene.ClaimAsync(Later(1)));
        for (var i = 0; i < 2; i++) await scene.RecordAsync(
            scene.Delivered(claim), scene.Delivered(second) with { EventId = scene.Events.Next().Id });
        await scene.RecordAsync(scene.Delivered(second));
        Assert.Empty(await scene.ClaimAsync(Now.AddYears(1)));
        await HasTriesAsync(scene, id, 200, 200, 200);
    }

    [Fact]
    public async Task A_claim_that_died_is_made_again_and_counted()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Dead(id, 1));
        await scene.ReplayAsync(id, Now);
        var lost = Assert.Single(await scene.ClaimAsync(Now, leaseUntil: Now.AddMinutes(1)));

        var again = Assert.Single(await scene.ClaimAsync(Now.AddMinutes(1), leaseUntil: Now.AddMinutes(2)));
        Assert.Equal((3, true), (again.Attempt, again.IsReplay));
        await scene.RecordAsync(scene.Failed(lost, Now.AddMinutes(1)));
        Assert.Empty(await scene.ClaimAsync(Now.AddMinutes(1)));
        await scene.RecordAsync(scene.Delivered(again));

        Assert.Equal((EventStatus.Delivered, 3, 200), await SeenAsync(scene, id));
        await HasTriesAsync(scene, id, 503, 500, 200);
    }

    [Fact]
    public async Task An_acknowledged_event_is_sent_when_asked_for_and_has_no_ladder()
    {
        var (scene, id) = await SetAsync();
        await scene.AcknowledgeAsync(Now, id);
        await scene.ReplayAsync(id, Now);
        Assert.Equal(Now, await NextDueAsync(scene));

        var claim = Assert.Single(await scene.ClaimAsync(Now));
        Assert.Equal((1, 0, true), (claim.Attempt, claim.Base, claim.IsReplay));
        await scene.AcknowledgeAsync(Now, id);
        await scene.RecordAsync(scene.Failed(claim, Now.AddSeconds(5)));

        Assert.Empty(await scene.ClaimAsync(Now.AddYears(1)));
        Assert.Equal(EventStatus.Delivered, (await scene.FindAsync(id)).Event.Status);
        Assert.Equal(1L, await CountAttemptsAsync(id));
    }

    [Fact]
    public async Task A_replay_of_what_was_never_tried_is_its_first_try_and_the_lane_passes_it()
    {
        var (scene, id) = await SetAsync();
        await scene.ReplayAsync(id, Now);
        Assert.Empty((await scene.ReadLaneAsync(default)).Events);

        var claim = Assert.Single(await scene.ClaimAsync(Now));
        Assert.Equal((1, 0, true), (claim.Attempt, claim.Base, claim.IsReplay));
        await scene.RecordAsync(scene.Delivered(claim));
        Assert.Equal((EventStatus.Delivered, 1, 200), await SeenAsync(scene, id));
        await HasTriesAsync(scene, id, 200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_first_try_under_way_does_not_take_a_replay_away(bool claimed)
    {
        var (scene, id) = await SetAsync();
        var other = (await scene.AppendAsync(1))[0];
        foreach (var one in (EventId[])[id, other]) await scene.ReplayAsync(one, Now);
        if (claimed) Assert.Equal([1, 1], (await scene.ClaimAsync(Now)).Select(claim => claim.Attempt));

        Assert.True(await RecordAsync(scene, scene.Delivered(id)));
        Assert.True(await RecordAsync(scene, scene.Failed(other, 1, Now.AddHours(3))));

        var replays = await scene.ClaimAsync(Later(1));
        Assert.Equal([(2, 1, true), (2, 1, true)], replays.Select(claim => (claim.Attempt, claim.Base, claim.IsReplay)));
        await scene.RecordAsync([.. replays.Select(scene.Delivered)]);
        await HasTriesAsync(scene, id, 200, 200);
        await HasTriesAsync(scene, other, 500, 200);
    }

    [Fact]
    public async Task A_disabled_endpoint_holds_its_replays()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Delivered(id));
        await scene.Store.SaveEndpointAsync(scene.Endpoint with { Enabled = false }, CancellationToken.None);
        await scene.ReplayAsync(id, Now);

        Assert.Empty(await scene.ClaimAsync(Now));

        await scene.Store.SaveEndpointAsync(scene.Endpoint, CancellationToken.None);
        Assert.Single(await scene.ClaimAsync(Now));
    }

    [Fact]
    public async Task An_event_goes_to_all_enabled_endpoints_or_to_the_one_that_is_named()
    {
        var (scene, id) = await SetAsync();
        var second = DeliveryScene.NewEndpoint(scene.OrganizationNo);
        await scene.Store.SaveEndpointAsync(second, CancellationToken.None);
        await scene.Store.SaveEndpointAsync(
            DeliveryScene.NewEndpoint(scene.OrganizationNo) with { Enabled = false }, CancellationToken.None);
        var strange = (await SetAsync()).Scene;

        Assert.Equal(new Requeued(true, 2), await ReplayAsync(scene, id, null));
        Assert.Equal(new Requeued(true, 1), await ReplayAsync(scene, id, second.Id));
        Assert.Equal(new Requeued(true, 0), await ReplayAsync(scene, id, strange.Endpoint.Id));
        Assert.Equal(new Requeued(true, 0), await ReplayAsync(scene, id, Guid.NewGuid()));
        Assert.Equal(default, await ReplayAsync(strange, id, null));
        Assert.Equal(default, await ReplayAsync(scene, scene.Events.Next().Id, null));
        Assert.Equal(
            ((Guid[])[scene.Endpoint.Id, second.Id]).Order(),
            (await scene.FindAsync(id)).Deliveries.Select(delivery => delivery.EndpointId).Order());
    }

    [Fact]
    public async Task A_dead_letter_without_a_try_keeps_its_count()
    {
        var (scene, id) = await SetAsync();
        await scene.RecordAsync(scene.Dead(id, 1) with { Attempt = null, Reason = "blocked" });
        await scene.ReplayAsync(id, Now);

        Assert.Equal((EventStatus.Failed, 0, "blocked"), ((await scene.FindAsync(id)).Event.Status, (await scene.FindAsync(id)).Event.Attempts, (await scene.FindAsync(id)).Event.LastError));
        var claim = Assert.Single(await scene.ClaimAsync(Now));
        Assert.Equal((1, 0), (claim.Attempt, claim.Base));
        await scene.RecordAsync(scene.Dead(claim) with { Attempt = null, Reason = "blocked again" });
        Assert.Equal((EventStatus.DeadLetter, 0), ((await scene.FindAsync(id)).Event.Status, (await scene.FindAsync(id)).Event.Attempts));
        Assert.Empty(await scene.ClaimAsync(Now.AddYears(1)));
    }

    [Fact]
    public async Task Replays_and_records_at_the_same_time_lose_and_number_nothing_twice()
    {
        var (scene, _) = await SetAsync();
        var ids = await scene.AppendAsync(30);

        var replays = Task.Run(async () =>
        {
            foreach (var id in ids) await scene.ReplayAsync(id, Now);
        });
        foreach (var id in ids) await scene.RecordAsync(scene.Delivered(id));
        await replays;

        var claims = await scene.ClaimAsync(Later(1));
        Assert.Equal(ids, claims.Select(claim => claim.Event.Id).Order());
        Assert.All(claims, claim => Assert.Equal((2, true), (claim.Attempt, claim.IsReplay)));
    }

    private async Task<(DeliveryScene Scene, EventId Id)> SetAsync()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        return (scene, (await scene.AppendAsync(1))[0]);
    }

    /// <summary>When what a record has made due is due: the store's own time, which may be behind the test's.</summary>
    private static DateTimeOffset Later(int minutes) => Now.AddMinutes(minutes);

    private static Task<bool> RecordAsync(DeliveryScene scene, params DeliveryResult[] results) =>
        scene.Store.RecordAsync(new DeliveryBatch(results, []), CancellationToken.None);

    private static Task<Requeued> ReplayAsync(DeliveryScene scene, EventId id, Guid? endpointId) =>
        scene.DeadLetters.ReplayEventAsync(scene.OrganizationNo, id, endpointId, Now, CancellationToken.None);

    private static async Task<(EventStatus Status, int Attempts, int? ResponseStatus)> SeenAsync(DeliveryScene scene, EventId id)
    {
        var seen = (await scene.FindAsync(id)).Event;
        return (seen.Status, seen.Attempts, seen.ResponseStatus);
    }

    /// <summary>The tries are numbered from 1 on, each there once, with these answers.</summary>
    private static async Task HasTriesAsync(DeliveryScene scene, EventId id, params int[] statuses)
    {
        var tries = Assert.Single((await scene.FindAsync(id)).Deliveries).Attempts;
        Assert.Equal(Enumerable.Range(1, statuses.Length), tries.Select(tried => tried.Number));
        Assert.Equal(statuses, tries.Select(tried => tried.ResponseStatus!.Value));
    }

    private async Task<DateTimeOffset?> NextDueAsync(DeliveryScene scene)
    {
        var detail = await fixture.Stores.Events.FindEventAsync(
            scene.OrganizationNo, (await fixture.ReadAllAsync(scene.OrganizationNo))[0].Id, CancellationToken.None);
        return detail!.Deliveries[0].NextAttemptAt;
    }

    private async Task<long> CountAttemptsAsync(EventId id) => Convert.ToInt64(await fixture.ScalarAsync(
        typeof(T) == typeof(SqliteFixture)
            ? $"SELECT count(*) FROM attempts WHERE hex(event_id) = '{id.ToString().Replace("-", "", StringComparison.Ordinal).ToUpperInvariant()}'"
            : $"SELECT count(*) FROM attempts WHERE event_id = '{id}'"), System.Globalization.CultureInfo.InvariantCulture);
}
