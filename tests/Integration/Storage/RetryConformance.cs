using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresRetryTests : RetryConformance<PostgresFixture>;

public sealed class SqliteRetryTests : RetryConformance<SqliteFixture>;

/// <summary>Claims, outcomes and tries. Claims go over all organizations, so each test has a database of its own.</summary>
public abstract class RetryConformance<T> : IAsyncLifetime
    where T : StoreFixture, new()
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;
    private readonly T _fixture = new();

    public ValueTask InitializeAsync() => _fixture.InitializeAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_claim_counts_the_try_and_leases_it_oldest_due_first()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(3);
        await scene.RecordAsync(
            scene.Failed(ids[0], 1, Now.AddSeconds(5)),
            scene.Failed(ids[1], 1, Now.AddSeconds(3)),
            scene.Failed(ids[2], 4, Now.AddSeconds(9)));
        Assert.Equal(Now.AddSeconds(3), await NextAsync(scene));

        var claimed = await scene.ClaimAsync(Now.AddSeconds(5), leaseUntil: Now.AddSeconds(60));

        Assert.Equal([(ids[1], 2), (ids[0], 2)], claimed.Select(retry => (retry.Event.Id, retry.Attempt)));
        Assert.All(
            claimed,
            retry => Assert.Equal(
                (scene.OrganizationNo, scene.Endpoint.Id, "user.created"),
                (retry.OrganizationNo, retry.EndpointId, retry.Event.Type)));
        Assert.Equal("""{"n":1}""", System.Text.Encoding.UTF8.GetString(claimed[0].Event.Payload));
        Assert.Empty(await scene.ClaimAsync(Now.AddSeconds(5)));
        Assert.Equal(Now.AddSeconds(9), await NextAsync(scene));

        // The lease ran out, as after a crash: the try that was counted stays counted.
        Assert.Equal([5, 3, 3], (await scene.ClaimAsync(Now.AddSeconds(61))).Select(retry => retry.Attempt));
    }

    [Fact]
    public async Task A_claim_brings_the_trace()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(scene.Events.Traced(), scene.Events.Next());
        await scene.RecordAsync([.. ids.Select(id => scene.Failed(id, 1, Now))]);

        Assert.Equal(
            [TestEvents.Trace, default],
            (await scene.ClaimAsync(Now)).OrderBy(retry => retry.Event.Id).Select(retry => retry.Event.TraceParent));
    }

    [Fact]
    public async Task A_claim_that_is_given_back_is_due_at_once_and_no_late_result_ends_the_next_one()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(3);
        await scene.RecordAsync([.. ids.Select(id => scene.Failed(id, 1, Now))]);
        var claimed = await scene.ClaimAsync(Now, leaseUntil: Now.AddSeconds(90));

        // Begun, not begun, and not given back.
        await ReleaseAsync(scene, Held(claimed[0], isBegun: true), Held(claimed[1], isBegun: false));

        var again = await scene.ClaimAsync(Now.AddSeconds(1), leaseUntil: Now.AddSeconds(90));
        Assert.Equal([(ids[0], 3), (ids[1], 2)], again.Select(retry => (retry.Event.Id, retry.Attempt)).OrderBy(retry => retry.Id));

        // The dead process: neither its late release nor its late result touches what another one has claimed since.
        await ReleaseAsync(scene, Held(claimed[0], isBegun: true));
        await scene.RecordAsync(scene.Failed(claimed[0], Now.AddSeconds(2)));
        Assert.Empty(await scene.ClaimAsync(Now.AddSeconds(3)));
        var late = await scene.FindAsync(ids[0]);
        Assert.Equal([1, 2], late.Deliveries[0].Attempts.Select(attempt => attempt.Number));

        await scene.RecordAsync(scene.Delivered(again.Single(retry => retry.Event.Id == ids[0])));
        var done = await scene.FindAsync(ids[0]);
        Assert.Equal((EventStatus.Delivered, 3), (done.Event.Status, done.Event.Attempts));
    }

    [Fact]
    public async Task A_replay_whose_claim_is_given_back_is_owed_as_before()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(2);
        await scene.RecordAsync([.. ids.Select(id => scene.Delivered(id))]);
        foreach (var id in ids) await scene.ReplayAsync(id, Now);
        var claimed = await scene.ClaimAsync(Now);

        await ReleaseAsync(scene, Held(claimed[0], isBegun: true), Held(claimed[1], isBegun: false));
        await scene.RecordAsync(scene.Failed(claimed[0], Now.AddHours(1)));

        var again = await scene.ClaimAsync(Now.AddSeconds(1));
        Assert.Equal(2, again.Count);
        Assert.All(again, retry => Assert.True(retry.IsReplay));
        await scene.RecordAsync([.. again.Select(scene.Delivered)]);
        Assert.Null(await NextAsync(scene));
    }

    [Fact]
    public async Task A_claim_takes_no_more_than_its_limit_and_nothing_twice()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(40);
        await scene.RecordAsync([.. ids.Select(id => scene.Failed(id, 1, Now))]);

        var claims = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => scene.ClaimAsync(Now, limit: 10)));

        Assert.All(claims, claim => Assert.InRange(claim.Count, 0, 10));
        var claimed = claims.SelectMany(claim => claim).Concat(await scene.ClaimAsync(Now)).Select(retry => retry.Event.Id).ToArray();
        Assert.Equal(ids, claimed.Order());
    }

    [Fact]
    public async Task The_keys_of_events_that_have_failed_lately_are_told()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(
            scene.Events.Next("t", orderingKey: "old"), scene.Events.Next("t", orderingKey: "k"), scene.Events.Next("t"),
            scene.Events.Next("t", orderingKey: "k"));
        await scene.RecordAsync([.. ids.Select(id => scene.Failed(id, 1, Now.AddHours(1)))]);
        await scene.RecordAsync(scene.Delivered(ids[3], 2));
        var all = await scene.Store.ReadFailingKeysAsync(scene.OrganizationNo, scene.Endpoint.Id, Now.AddDays(-1), CancellationToken.None);

        Assert.Equal([("k", ids[1]), ("old", ids[0])], all.OrderBy(key => key.Key, StringComparer.Ordinal));
        Assert.Empty(
            await scene.Store.ReadFailingKeysAsync(scene.OrganizationNo, scene.Endpoint.Id, Now.AddDays(1), CancellationToken.None));
        Assert.Empty(await scene.Store.ReadFailingKeysAsync(scene.OrganizationNo + 1, scene.Endpoint.Id, default, CancellationToken.None));
        Assert.Empty(await scene.Store.ReadFailingKeysAsync(scene.OrganizationNo, Guid.NewGuid(), default, CancellationToken.None));
    }

    [Fact]
    public async Task A_disabled_endpoint_holds_its_retries()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(1);
        await scene.RecordAsync(scene.Failed(ids[0], 1, Now));
        await scene.Store.SaveEndpointAsync(scene.Endpoint with { Enabled = false }, CancellationToken.None);

        Assert.Empty(await scene.ClaimAsync(Now));
        Assert.Null(await NextAsync(scene));

        await scene.Store.SaveEndpointAsync(scene.Endpoint, CancellationToken.None);
        Assert.Equal([2], (await scene.ClaimAsync(Now)).Select(retry => retry.Attempt));
    }

    [Fact]
    public async Task A_success_at_first_is_one_row()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(1);

        for (var time = 0; time < 2; time++) await scene.RecordAsync(scene.Delivered(ids[0]));

        const string Rows = "SELECT (SELECT count(*) FROM outcomes) + (SELECT count(*) FROM attempts) + (SELECT count(*) FROM retries)";
        Assert.Equal(1L, Convert.ToInt64(await _fixture.ScalarAsync(Rows)));
        var detail = await scene.FindAsync(ids[0]);
        Assert.Equal(
            (EventStatus.Delivered, 1, 200, null),
            (detail.Event.Status, detail.Event.Attempts, detail.Event.ResponseStatus, detail.Event.LastError));
        Assert.Equal(Now.AddSeconds(1).AddMilliseconds(250), detail.Event.UpdatedAt);
        var delivery = Assert.Single(detail.Deliveries);
        Assert.Equal(
            (scene.Endpoint.Id, scene.Endpoint.Url, EventStatus.Delivered, null),
            (delivery.EndpointId, delivery.Url, delivery.Status, delivery.NextAttemptAt));
        Assert.Equal(
            (1, Now.AddSeconds(1), 250),
            (delivery.Attempts[0].Number, delivery.Attempts[0].At, delivery.Attempts[0].LatencyMilliseconds));
    }

    [Fact]
    public async Task Every_try_is_told_from_the_first_to_the_last()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(1);
        await scene.RecordAsync(scene.Failed(ids[0], 1, Now.AddSeconds(5)));
        await scene.RecordAsync(scene.Failed(ids[0], 2, Now.AddSeconds(30)));

        var waiting = await scene.FindAsync(ids[0]);
        Assert.Equal(
            (EventStatus.Failed, 2, "status 500 on try 2"),
            (waiting.Event.Status, waiting.Event.Attempts, waiting.Event.LastError));
        Assert.Equal((EventStatus.Failed, Now.AddSeconds(30)), (waiting.Deliveries[0].Status, waiting.Deliveries[0].NextAttemptAt));
        Assert.Equal([1, 2], waiting.Deliveries[0].Attempts.Select(attempt => attempt.Number));

        await scene.RecordAsync(scene.Dead(ids[0], 3));

        var dead = await scene.FindAsync(ids[0]);
        Assert.Equal((EventStatus.DeadLetter, 3, 503), (dead.Event.Status, dead.Event.Attempts, dead.Event.ResponseStatus));
        Assert.Equal([1, 2, 3], Assert.Single(dead.Deliveries).Attempts.Select(attempt => attempt.Number));
        Assert.Null(await NextAsync(scene));
    }

    [Fact]
    public async Task A_record_that_comes_again_late_changes_nothing()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(1);
        await scene.RecordAsync(scene.Failed(ids[0], 1, Now));
        Assert.Equal([2], (await scene.ClaimAsync(Now, leaseUntil: Now.AddMinutes(1))).Select(retry => retry.Attempt));

        await scene.RecordAsync(scene.Failed(ids[0], 1, Now));
        Assert.Equal(Now.AddMinutes(1), await NextAsync(scene));

        await scene.RecordAsync(scene.Delivered(ids[0], 2));
        await scene.RecordAsync(scene.Failed(ids[0], 1, Now));
        Assert.Null(await NextAsync(scene));
        var detail = await scene.FindAsync(ids[0]);
        Assert.Equal((EventStatus.Delivered, 2), (detail.Event.Status, detail.Event.Attempts));
        Assert.Equal([1, 2], Assert.Single(detail.Deliveries).Attempts.Select(attempt => attempt.Number));
    }

    [Fact]
    public async Task A_dead_letter_without_a_try_counts_the_tries_before_it()
    {
        var scene = await DeliveryScene.SetAsync(_fixture);
        var ids = await scene.AppendAsync(2);
        await scene.RecordAsync(scene.Failed(ids[0], 1, Now));

        await scene.RecordAsync(scene.Dead(ids[0], 2) with { Attempt = null }, scene.Dead(ids[1], 1) with { Attempt = null });

        var (tried, untried) = (await scene.FindAsync(ids[0]), await scene.FindAsync(ids[1]));
        Assert.Equal((EventStatus.DeadLetter, 1), (tried.Event.Status, tried.Event.Attempts));
        Assert.Single(tried.Deliveries[0].Attempts);
        Assert.Equal((EventStatus.DeadLetter, 0, Now), (untried.Event.Status, untried.Event.Attempts, untried.Event.UpdatedAt));
        Assert.Empty(untried.Deliveries[0].Attempts);
    }

    private static HeldClaim Held(ClaimedRetry claim, bool isBegun) =>
        new(claim.OrganizationNo, claim.EndpointId, claim.Event.Id, claim.Attempt, isBegun);

    private static Task ReleaseAsync(DeliveryScene scene, params HeldClaim[] claims) =>
        scene.Store.ReleaseRetriesAsync(claims, Now.AddSeconds(1), CancellationToken.None);

    private static Task<DateTimeOffset?> NextAsync(DeliveryScene scene) => scene.Store.NextRetryAsync(CancellationToken.None);
}
