using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage;
using ZapierTriggers.Server.Storage.Postgres;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Storage;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Upgrades;

/// <summary>
/// What a server of the schema before 0009 does on the newest one, in its own statements: it must neither hide an event below an inbox mark nor
/// be in the way of a migration. The real thing: <c>tests/RollingUpgrade/run</c>.
/// </summary>
public sealed class OlderServerTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    [Fact]
    public async Task An_endpoint_that_it_removes_lowers_the_mark_to_the_oldest_retry()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(4);
        await scene.AcknowledgeAsync(Now, ids[0], ids[2]);
        await scene.RecordAsync(scene.Failed(ids[1], 1, Now.AddHours(1)), scene.Failed(ids[3], 1, Now.AddHours(1)));
        await fixture.Stores.Events.AdvanceInboxMarkAsync(scene.OrganizationNo, 100, CancellationToken.None);
        Assert.Empty(await scene.InboxAsync(EventStatus.Pending));
        var (no, id) = (scene.OrganizationNo, scene.Endpoint.Id);

        await fixture.ScalarAsync(
            $"""
            BEGIN;
            DELETE FROM lanes WHERE organization_no = {no} AND endpoint_id = '{id}';
            DELETE FROM endpoints WHERE organization_no = {no} AND id = '{id}';
            DELETE FROM endpoint_filters WHERE organization_no = {no} AND endpoint_id = '{id}';
            DELETE FROM retries WHERE organization_no = {no} AND endpoint_id = '{id}';
            COMMIT
            """);

        Assert.Equal([ids[1], ids[3]], await scene.InboxAsync(EventStatus.Pending));
        Assert.Equal(
            ids[1].ToGuid(), await fixture.ScalarAsync($"SELECT settled_before FROM inbox_marks WHERE organization_no = {no}"));
    }

    [Fact]
    public async Task An_organization_that_it_removes_leaves_nothing_in_the_tables_it_does_not_know()
    {
        var no = await KnownOrganization.NewAsync(fixture);
        await fixture.ScalarAsync(
            $"""
            INSERT INTO usage_days (organization_no, day, kind, source, events, bytes) VALUES ({no}, 1, 1, gen_random_uuid(), 1, 1);
            INSERT INTO usage_news (organization_no, news, claimed_at) VALUES ({no}, 1, now());
            INSERT INTO inbox_marks (organization_no, settled_before, lowered) VALUES ({no}, gen_random_uuid(), 1)
            """);

        await fixture.ScalarAsync($"DELETE FROM organizations WHERE organization_no = {no}");

        foreach (var table in (string[])["usage_days", "usage_news", "inbox_marks"])
            Assert.Equal(0L, await fixture.ScalarAsync($"SELECT count(*) FROM {table} WHERE organization_no = {no}"));
    }

    [Fact]
    public async Task It_cannot_take_the_shard_although_it_began_its_start_before()
    {
        var writer = await fixture.NewShardAsync();
        var shard = writer.Claim.Shard;

        var error = await Assert.ThrowsAsync<PostgresException>(() => fixture.ScalarAsync(
            $"""
            BEGIN;
            INSERT INTO shards (shard, journal_id, epoch)
            SELECT {shard}, '{Guid.NewGuid()}', coalesce(max(epoch), 0) FROM shards WHERE shard = {shard} ON CONFLICT (shard, journal_id) DO NOTHING;
            UPDATE shards SET epoch = (SELECT max(o.epoch) + 1 FROM shards o WHERE o.shard = {shard}) WHERE shard = {shard};
            COMMIT
            """));

        Assert.Contains("newer version", error.MessageText, StringComparison.Ordinal);
        await writer.AppendAsync(new TestEvents(StoreFixture.NextNumber()).Next());
    }

    /// <summary>The same from this version on, whatever the next ones change.</summary>
    [Fact]
    public async Task A_claim_behind_a_newer_migration_is_refused()
    {
        await using var own = new OwnFixture<PostgresFixture>();
        var store = await own.OpenAsync();
        var writer = await store.NewShardAsync();
        await store.ScalarAsync("INSERT INTO schema_versions (version, name) VALUES (1000, 'newer')");

        var error = await Assert.ThrowsAsync<StoreException>(
            () => ShardWriter.ClaimShardAsync(store.Stores.Events, writer.Claim.Shard, Guid.NewGuid()));

        Assert.Equal(StoreFailure.Fault, error.Failure);
        Assert.Contains("newer server", error.Message, StringComparison.Ordinal);
        await writer.AppendAsync(new TestEvents(StoreFixture.NextNumber()).Next());
    }

    /// <summary>Its append holds its checkpoint's row and comes to the events then; a migration changes both tables.</summary>
    [Fact]
    public async Task A_migration_waits_for_its_append_before_it_touches_the_events()
    {
        var connectionString = await PostgresServer.CreateSchemaAsync("older");
        foreach (var migration in Migration.Load("Postgres").Take(8)) await PostgresServer.ExecuteAsync(migration.Sql, connectionString);
        await PostgresServer.ExecuteAsync(
            """
            CREATE TABLE schema_versions (version integer NOT NULL PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
            INSERT INTO schema_versions (version, name) SELECT n, 'n' FROM generate_series(1, 8) n;
            CREATE TABLE events_old PARTITION OF events
            FOR VALUES FROM ('0190a000-0000-0000-0000-000000000000') TO ('0190b000-0000-0000-0000-000000000000');
            INSERT INTO shards (shard, journal_id, epoch) VALUES (0, gen_random_uuid(), 1)
            """,
            connectionString);
        await using (var source = NpgsqlDataSource.Create(connectionString))
        await using (var connection = await source.OpenConnectionAsync())
        await using (var stores = await StoreSet.OpenAsync(new StorageOptions { ConnectionString = connectionString }, TimeProvider.System, CancellationToken.None))
        {
            await using var append = await connection.BeginTransactionAsync();
            await ExecuteAsync(connection, "UPDATE shards SET stored_sequence = 1 WHERE shard = 0 AND epoch = 1");
            var migrated = stores.PrepareAsync(CancellationToken.None);
            await Poll.UntilAsync(
                async () => (long)(await PostgresServer.ExecuteAsync("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'shards'::regclass", connectionString))! > 0,
                "the migration to wait for the append");
            await ExecuteAsync(
                connection,
                "INSERT INTO events (organization_no, id, type, payload_hash, payload) VALUES (7, '0190a000-0000-7000-8000-000000000001', 't', 1, '{}')");
            await append.CommitAsync();

            await migrated;
        }

        Assert.Equal(1L, await PostgresServer.ExecuteAsync("SELECT count(*) FROM events WHERE traceparent IS NULL", connectionString));
        await PostgresServer.DropSchemaAsync(connectionString);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
