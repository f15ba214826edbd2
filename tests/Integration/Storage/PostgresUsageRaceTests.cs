using Npgsql;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>What meets usage on its way.</summary>
public sealed class PostgresUsageRaceTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly int Day = UsageTime.DayOf(StoreFixture.Noon);

    [Fact]
    public async Task Sums_that_come_while_an_organization_is_erased_do_not_stay()
    {
        var no = await KnownOrganization.NewAsync(fixture);
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        // The erasure waits for a key, behind the sums that it has removed.
        await ExecuteAsync(connection, $"SELECT 1 FROM api_keys WHERE organization_no = {no} FOR UPDATE");
        var erasure = fixture.Stores.Data.Erasures.EndOrganizationAsync(no, CancellationToken.None);
        await UntilWaitingAsync("api_keys", 1);
        var add = fixture.Stores.Data.Usage.AddAsync([new UsageSum(no, Day, UsageKind.Invalid, 1)], CancellationToken.None);
        await Poll.UntilAsync(async () => add.IsCompleted || await WaitingAsync("organizations") == 2, "the sums wait, or are written");
        await transaction.CommitAsync();
        await erasure;
        await add;

        Assert.Empty(await fixture.Stores.Data.Usage.ReadAsync(no, 0, int.MaxValue, CancellationToken.None));
    }

    [Fact]
    public async Task A_recorder_that_waits_for_its_cursors_lane_holds_no_usage()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var (ids, second) = (await scene.AppendAsync(1), DeliveryScene.NewEndpoint(scene.OrganizationNo));
        await scene.Store.SaveEndpointAsync(second, CancellationToken.None);
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, $"SELECT 1 FROM lanes WHERE endpoint_id = '{second.Id}' FOR UPDATE");
        var cursor = new LaneCursor(scene.OrganizationNo, second.Id, ids[0], Generation: 0);
        var record = scene.Store.RecordAsync(new DeliveryBatch([scene.Delivered(ids[0])], [cursor]), CancellationToken.None);
        await UntilWaitingAsync("lanes", 1);

        // What another recorder does next; were the row held, it would be a deadlock.
        await ExecuteAsync(
            connection,
            $"""
             INSERT INTO usage_days AS u VALUES ({scene.OrganizationNo}, {Day}, 3, '{Guid.Empty}', 1, 0)
             ON CONFLICT (organization_no, day, kind, source) DO UPDATE SET events = u.events + 1
             """);
        await transaction.CommitAsync();
        await record;

        var sums = await fixture.Stores.Data.Usage.ReadAsync(scene.OrganizationNo, 0, int.MaxValue, CancellationToken.None);
        Assert.Equal(2, sums.Where(sum => sum.Kind == UsageKind.Delivered).Sum(sum => sum.Events));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task UntilWaitingAsync(string table, int sessions) =>
        Poll.UntilAsync(async () => await WaitingAsync(table) == sessions, $"{sessions} wait");

    /// <summary>Sessions that have touched the table and wait for a lock.</summary>
    private async Task<long> WaitingAsync(string table) => (long)(await fixture.ScalarAsync(
        $"""
         SELECT count(DISTINCT l.pid)
         FROM pg_locks l
         JOIN pg_locks w ON w.pid = l.pid AND NOT w.granted
         WHERE l.relation = '{table}'::regclass
         """))!;
}
