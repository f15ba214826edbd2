using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresDeadLetterTests(PostgresFixture fixture) : DeadLetterConformance<PostgresFixture>(fixture);

public sealed class SqliteDeadLetterTests(SqliteFixture fixture) : DeadLetterConformance<SqliteFixture>(fixture);

/// <summary>Dead letters listed, and replays of many deliveries in chunks.</summary>
public abstract class DeadLetterConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon.AddHours(1);

    [Fact]
    public async Task They_are_listed_newest_first_page_by_page_over_all_endpoints()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(5);
        var gone = Guid.NewGuid();
        await scene.RecordAsync(
            [.. ids[..4].Select(id => scene.Dead(id, 2)), scene.Dead(ids[1], 3) with { EndpointId = gone }, scene.Delivered(ids[4])]);
        await scene.AcknowledgeAsync(Now, ids[0]);

        var all = new List<DeadLetter>();
        var cursor = default(DeadLetterCursor?);
        while (true)
        {
            var page = await scene.DeadLetters.ReadAsync(
                new DeadLetterQuery(scene.OrganizationNo, new ReplayFilter(), 1, cursor), CancellationToken.None);
            all.AddRange(page.Items);
            if (!page.HasMore) break;
            cursor = new DeadLetterCursor(page.Items[^1].EventId, page.Items[^1].EndpointId);
        }

        Assert.Equal([ids[3], ids[2], ids[1], ids[1]], all.Select(one => one.EventId));
        Assert.Equal([gone, scene.Endpoint.Id], all.Skip(2).Select(one => one.EndpointId).OrderBy(id => id == scene.Endpoint.Id));
        Assert.Equal(
            (scene.Endpoint.Url, "user.created", 2, 503, "gave up on try 2", StoreFixture.Noon.AddSeconds(2)),
            (all[0].Url, all[0].Type, all[0].Attempts, all[0].ResponseStatus, all[0].Error, all[0].FailedAt));
        Assert.Null(all.Single(one => one.EndpointId == gone).Url);
        Assert.Equal([ids[2]], await ListAsync(scene, new ReplayFilter(), new DeadLetterCursor(ids[3], Guid.Empty), limit: 1));
    }

    [Fact]
    public async Task Each_filter_lists_counts_and_replays_the_same()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var second = DeliveryScene.NewEndpoint(scene.OrganizationNo);
        await scene.Store.SaveEndpointAsync(second, CancellationToken.None);
        var early = await scene.AppendAsync(scene.Events.Next("a"), scene.Events.Next("b"));
        scene.Events.UnixMilliseconds += 60_000;
        var late = await scene.AppendAsync(scene.Events.Next("a"), scene.Events.Next("b"));
        var split = StoreFixture.Noon.AddMinutes(1);
        await scene.RecordAsync([.. early.Concat(late).Select(id => scene.Dead(id, 2))]);
        await scene.RecordAsync(scene.Dead(late[0], 7) with { EndpointId = second.Id });

        (ReplayFilter Filter, EventId[] Expected)[] cases =
        [
            (new ReplayFilter { Type = "a" }, [early[0], late[0], late[0]]),
            (new ReplayFilter { Since = split }, [late[0], late[0], late[1]]),
            (new ReplayFilter { Until = split }, early),
            (new ReplayFilter { EndpointId = second.Id }, [late[0]]),
            (new ReplayFilter { Error = "UP ON TRY 7" }, [late[0]]),
            (new ReplayFilter { Error = "100%" }, []),
            (new ReplayFilter { Type = "a", Since = split, EndpointId = scene.Endpoint.Id }, [late[0]]),
            (new ReplayFilter { EventIds = [late[1], early[0], scene.Events.Next().Id] }, [early[0], late[1]]),
        ];
        foreach (var (filter, expected) in cases)
        {
            if (filter.EventIds is null) Assert.Equal(expected.Reverse(), await ListAsync(scene, filter));
            Assert.Equal(expected.Length, await scene.DeadLetters.CountAsync(scene.OrganizationNo, filter, Wants, CancellationToken.None));
        }

        var (only, sent) = cases[^1];
        var job = await AddAsync(scene, only);
        Assert.Equal((2, true), ((await RunAsync(scene, job, 500))[^1].Queued, (await FindAsync(scene, job)).FinishedAt is not null));
        Assert.Equal(sent, (await ClaimAllAsync(scene, Now.AddMinutes(1))).Select(claim => claim.Event.Id).Order());
    }

    [Fact]
    public async Task A_job_queues_each_once_chunk_by_chunk_at_its_rate()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(25);
        await scene.RecordAsync([.. ids.Select(id => scene.Dead(id, 1))]);
        var job = await AddAsync(scene, new ReplayFilter(), rate: 10);
        Assert.Equal(25, job.Matched);

        var steps = await RunAsync(scene, job, 10);

        Assert.Equal([9L, 18, 25], steps.Select(step => step.Queued));
        Assert.Null(await scene.DeadLetters.RunChunkAsync(job, 10, Now, Wants, CancellationToken.None));
        Assert.Equal(0, await scene.DeadLetters.CountAsync(scene.OrganizationNo, new ReplayFilter(), Wants, CancellationToken.None));
        Assert.Equal(10, (await ClaimAllAsync(scene, Now.AddMilliseconds(950))).Count);
        Assert.Equal(15, (await ClaimAllAsync(scene, Now.AddMilliseconds(2400))).Count);
        var found = await FindAsync(scene, job);
        Assert.Equal((25L, 25L, Now, 10), (found.Matched, found.Queued, found.FinishedAt, found.RatePerSecond));
    }

    [Fact]
    public async Task What_fails_again_or_came_later_is_not_the_jobs()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(4);
        await scene.RecordAsync(scene.Dead(ids[1], 1), scene.Dead(ids[2], 1));
        var job = await AddAsync(scene, new ReplayFilter());
        Assert.Equal(1, (await scene.DeadLetters.RunChunkAsync(job, 2, Now, Wants, CancellationToken.None))!.Queued);

        await scene.RecordAsync(scene.Dead(Assert.Single(await scene.ClaimAsync(Now))));
        await scene.RecordAsync(scene.Dead(ids[3], 1) with { Attempt = scene.Dead(ids[3], 1).Attempt! with { At = Now.AddSeconds(1) } });

        Assert.Equal(2, (await RunAsync(scene, job, 2))[^1].Queued);
        Assert.Equal([ids[3], ids[1]], await ListAsync(scene, new ReplayFilter()));
    }

    [Fact]
    public async Task All_of_an_events_dead_letters_go_in_one_chunk()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var second = DeliveryScene.NewEndpoint(scene.OrganizationNo);
        await scene.Store.SaveEndpointAsync(second, CancellationToken.None);
        var ids = await scene.AppendAsync(7);
        foreach (var endpoint in (Guid[])[scene.Endpoint.Id, second.Id]) await scene.RecordAsync(
            [.. ids.Select(id => scene.Dead(id, 1) with { EndpointId = endpoint })]);

        var steps = await RunAsync(scene, await AddAsync(scene, new ReplayFilter()), 5);

        Assert.Equal([4L, 8, 12, 14], steps.Select(step => step.Queued));
    }

    [Fact]
    public async Task A_recovery_takes_what_is_not_delivered_and_not_on_its_way()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(6);
        ids = [.. ids, .. await scene.AppendAsync(
            scene.Events.Next(), scene.Events.Next("unwanted"), scene.Events.Next(), scene.Events.Next())];
        await scene.RecordAsync(scene.Delivered(ids[1]), scene.Failed(ids[2], 1, Now.AddDays(1)), scene.Dead(ids[3], 2));
        await scene.AcknowledgeAsync(Now, ids[4]);
        await scene.ReplayAsync(ids[5], Now.AddDays(2));
        // 0, 6 and 7 were passed over, 7 because of its type; 8 and 9 are before the lane yet.
        await scene.Store.RecordAsync(
            new DeliveryBatch([], [new LaneCursor(scene.OrganizationNo, scene.Endpoint.Id, ids[7], 0)]), CancellationToken.None);
        var filter = new ReplayFilter { Recovers = true, EndpointId = scene.Endpoint.Id, Since = StoreFixture.Noon, Until = Now };

        Assert.Equal(4, await scene.DeadLetters.CountAsync(scene.OrganizationNo, filter, Wants, CancellationToken.None));
        Assert.Equal(
            0, await scene.DeadLetters.CountAsync(scene.OrganizationNo, filter with { Since = Now }, Wants, CancellationToken.None));
        var steps = await RunAsync(scene, await AddAsync(scene, filter), 4);

        Assert.Equal(4, steps[^1].Queued);
        var claims = await ClaimAllAsync(scene, Now.AddMinutes(1));
        Assert.Equal([(ids[0], 1), (ids[2], 2), (ids[3], 3), (ids[6], 1)], claims.Select(claim => (claim.Event.Id, claim.Attempt)).Order());
        Assert.All(claims, claim => Assert.True(claim.IsReplay));
        Assert.Equal([ids[8], ids[9]], (await scene.ReadLaneAsync(ids[7])).Events.Select(due => due.Id));
    }

    [Fact]
    public async Task Jobs_are_each_organizations_own_and_few_at_a_time()
    {
        var (scene, other) = (await DeliveryScene.SetAsync(fixture), await DeliveryScene.SetAsync(fixture));
        var jobs = new List<ReplayJob>();
        for (var i = 0; i < ReplayJob.MaxUnfinished; i++) jobs.Add(await AddAsync(scene, new ReplayFilter(), at: Now.AddSeconds(i)));

        Assert.False(await scene.DeadLetters.AddJobAsync(jobs[0] with { Id = Guid.CreateVersion7(Now) }, CancellationToken.None));
        Assert.True(await scene.DeadLetters.AddJobAsync(jobs[0], CancellationToken.None));
        Assert.True(await other.DeadLetters.AddJobAsync(jobs[0] with { OrganizationNo = other.OrganizationNo }, CancellationToken.None));
        Assert.Null(await other.DeadLetters.FindJobAsync(other.OrganizationNo, jobs[1].Id, CancellationToken.None));
        var latest = await scene.DeadLetters.ReadJobsAsync(scene.OrganizationNo, 3, CancellationToken.None);
        Assert.Equal(jobs.AsEnumerable().Reverse().Take(3).Select(job => job.Id), latest.Select(job => job.Id));
        Assert.True((await scene.DeadLetters.ReadUnfinishedAsync(CancellationToken.None)).Count >= jobs.Count);

        await RunAsync(scene, jobs[0], 10);
        Assert.True(await scene.DeadLetters.AddJobAsync(jobs[0] with { Id = Guid.CreateVersion7(Now) }, CancellationToken.None));
    }

    [Fact]
    public async Task A_job_is_read_as_it_was_kept()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var filter = new ReplayFilter
        {
            EndpointId = scene.Endpoint.Id,
            Type = "größe \"1\"",
            Since = Now.AddHours(-1),
            Until = Now,
            Error = "%_'\\",
            EventIds = [scene.Events.Next().Id],
        };
        var job = await AddAsync(scene, filter);

        var found = await FindAsync(scene, job);

        Assert.Equal(filter.EventIds, found.Filter.EventIds);
        Assert.Equal(
            job with { Filter = job.Filter with { EventIds = null } }, found with { Filter = found.Filter with { EventIds = null } });
    }

    /// <summary>As an endpoint with a filter would.</summary>
    private static bool Wants(int organizationNo, Guid endpointId, EventId id, string type, string? orderingKey) => type != "unwanted";

    private static async Task<ReplayJob> AddAsync(DeliveryScene scene, ReplayFilter filter, int rate = 1000, DateTimeOffset? at = null)
    {
        var job = new ReplayJob
        {
            OrganizationNo = scene.OrganizationNo,
            Id = Guid.CreateVersion7(at ?? Now),
            Filter = filter,
            RatePerSecond = rate,
            Matched = await scene.DeadLetters.CountAsync(scene.OrganizationNo, filter, Wants, CancellationToken.None),
            CreatedAt = at ?? Now,
        };
        Assert.True(await scene.DeadLetters.AddJobAsync(job, CancellationToken.None));
        return job;
    }

    /// <summary>Runs all chunks; what the job was after each.</summary>
    private static async Task<List<ReplayJob>> RunAsync(DeliveryScene scene, ReplayJob job, int limit)
    {
        var steps = new List<ReplayJob>();
        while (await scene.DeadLetters.RunChunkAsync(job, limit, Now, Wants, CancellationToken.None) is { } moved) steps.Add(moved);
        return steps;
    }

    private static async Task<ReplayJob> FindAsync(DeliveryScene scene, ReplayJob job) =>
        (await scene.DeadLetters.FindJobAsync(scene.OrganizationNo, job.Id, CancellationToken.None))!;

    private static Task<IReadOnlyList<ClaimedRetry>> ClaimAllAsync(DeliveryScene scene, DateTimeOffset now) =>
        scene.ClaimAsync(now, Now.AddYears(1));

    private static async Task<IEnumerable<EventId>> ListAsync(
        DeliveryScene scene, ReplayFilter filter, DeadLetterCursor? after = null, int limit = 100) =>
        (await scene.DeadLetters.ReadAsync(new DeadLetterQuery(scene.OrganizationNo, filter, limit, after), CancellationToken.None)).Items
        .Select(one => one.EventId);
}
