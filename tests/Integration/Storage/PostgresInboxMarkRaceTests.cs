using Npgsql;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>What has not committed yet is not seen by an advance of the mark, and must not be passed by it.</summary>
public sealed class PostgresInboxMarkRaceTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;
    private readonly int _shard = StoreFixture.NextNumber();

    /// <summary>Our sessions that have touched marks, or want to, and wait for a lock.</summary>
    private const string Waiting = """
        SELECT count(DISTINCT l.pid)
        FROM pg_locks l
        JOIN pg_locks w ON w.pid = l.pid AND NOT w.granted
        WHERE l.relation = 'inbox_marks'::regclass
        """;

    /// <summary>Our sessions that wait for a table.</summary>
    private const string Blocked = """
        SELECT count(DISTINCT l.pid)
        FROM pg_locks l
        JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.relation IS NOT NULL AND NOT l.granted
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_late_append_under_way_is_waited_for(bool hasMark)
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await AppendSettledAsync(scene);
        if (hasMark) await fixture.ScalarAsync($"INSERT INTO inbox_marks VALUES ({scene.OrganizationNo}, '{Guid.Empty}', 0)");
        var late = new TestEvents(scene.OrganizationNo, Now.AddMinutes(-90)).Next();
        var writer = await ShardWriter.ClaimAsync(fixture.Stores.Events, _shard);
        await using var other = await fixture.OpenAsync();
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        // Reading goes on; the append's COPY, behind its lowering, does not.
        await using (var hold = new NpgsqlCommand("LOCK TABLE events IN SHARE MODE", connection)) await hold.ExecuteNonQueryAsync();
        var append = writer.AppendAsync(late);
        await UntilWaitingAsync(1);
        var advance = other.Events.AdvanceInboxMarkAsync(scene.OrganizationNo, 100, CancellationToken.None);
        await UntilWaitingAsync(2);
        await transaction.CommitAsync();
        await append;
        await advance;

        Assert.Equal([late.Id], await scene.InboxAsync(EventStatus.Pending));
        Assert.DoesNotContain(late.Id, ids);
    }

    [Fact]
    public async Task Any_other_append_under_way_is_not_waited_for_and_not_passed()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await AppendSettledAsync(scene);
        var writer = await ShardWriter.ClaimAsync(fixture.Stores.Events, _shard);
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE events IN SHARE MODE", connection)) await hold.ExecuteNonQueryAsync();
        var next = scene.Events.Many(2);
        var append = writer.AppendAsync(next);
        await UntilAsync(Blocked, 1);
        while (await fixture.Stores.Events.AdvanceInboxMarkAsync(scene.OrganizationNo, 2, CancellationToken.None))
        {
        }

        Assert.False(append.IsCompleted);
        await transaction.CommitAsync();
        await append;
        Assert.Equal(next.Select(one => one.Id), await scene.InboxAsync(EventStatus.Pending));
        Assert.Equal(
            ids[^1].ToGuid(),
            await fixture.ScalarAsync($"SELECT settled_before FROM inbox_marks WHERE organization_no = {scene.OrganizationNo}"));
    }

    [Fact]
    public async Task An_endpoint_on_its_way_out_is_waited_for()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await AppendSettledAsync(scene);
        var one = scene.Events.Next();
        await (await ShardWriter.ClaimAsync(fixture.Stores.Events, _shard)).AppendAsync(one);
        var failed = one.Id;
        await scene.RecordAsync(scene.Failed(failed, 1, Now.AddHours(1)));
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        // The counter of account changes is the last thing that the removal waits for.
        await using (var hold = new NpgsqlCommand("SELECT 1 FROM account_changes WHERE organization_no = 0 FOR UPDATE", connection))
            await hold.ExecuteNonQueryAsync();
        var removal = scene.Store.DeleteEndpointAsync(scene.OrganizationNo, scene.Endpoint.Id, Now, CancellationToken.None);
        await UntilWaitingAsync(1);
        var advance = fixture.Stores.Events.AdvanceInboxMarkAsync(scene.OrganizationNo, 100, CancellationToken.None);
        await UntilWaitingAsync(2);
        await transaction.CommitAsync();
        await removal;
        await advance;

        Assert.Equal([failed], await scene.InboxAsync(EventStatus.Pending));
        Assert.DoesNotContain(failed, ids);
    }

    [Fact]
    public async Task Nothing_is_passed_while_everyone_is_at_it()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        await AppendSettledAsync(scene);
        await using var other = await fixture.OpenAsync();
        var writer = await ShardWriter.ClaimAsync(fixture.Stores.Events, _shard);
        var late = new TestEvents(scene.OrganizationNo, Now.AddMinutes(-90));
        using var done = new CancellationTokenSource();
        var advances = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested) await other.Events.AdvanceInboxMarkAsync(scene.OrganizationNo, 3, CancellationToken.None);
        });
        try
        {
            for (var round = 0; round < 100; round++)
            {
                var batch = late.Many(2);
                await writer.AppendAsync(batch);
                Assert.Equal(batch.Select(one => one.Id), await scene.InboxAsync(EventStatus.Pending));
                await scene.AcknowledgeAsync(Now, [.. batch.Select(one => one.Id)]);
            }
        }
        finally
        {
            await done.CancelAsync();
            await advances;
        }

        Assert.Empty(await scene.InboxAsync(EventStatus.Pending));
    }

    private async Task<EventId[]> AppendSettledAsync(DeliveryScene scene)
    {
        scene.Events.UnixMilliseconds = Now.AddHours(-1).ToUnixTimeMilliseconds();
        var batch = scene.Events.Many(5);
        await (await ShardWriter.ClaimAsync(fixture.Stores.Events, _shard)).AppendAsync(batch);
        EventId[] ids = [.. batch.Select(one => one.Id)];
        await scene.AcknowledgeAsync(Now, ids);
        return ids;
    }

    private Task UntilWaitingAsync(long count) => UntilAsync(Waiting, count);

    private async Task UntilAsync(string sql, long count)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((long)(await fixture.ScalarAsync(sql))! < count) deadline.Token.ThrowIfCancellationRequested();
    }
}
