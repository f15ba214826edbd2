using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>What only Postgres can do wrong: partitions, U+0000, read-only servers.</summary>
public sealed class PostgresStoreTests : IAsyncLifetime
{
    /// <summary>Statements on this schema's shards that wait for a lock.</summary>
    private const string Waiting = """
        SELECT count(DISTINCT l.pid)
        FROM pg_locks l
        JOIN pg_locks w ON w.pid = l.pid AND NOT w.granted
        WHERE l.relation = 'shards'::regclass
        """;

    private readonly PostgresFixture _fixture = new();
    private readonly TestEvents _events = new(StoreFixture.NextNumber());

    public ValueTask InitializeAsync() => _fixture.InitializeAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Days_are_made_ahead()
    {
        Assert.Equal("events_20260309 events_20260317", await DaysAsync());
    }

    [Fact]
    public async Task A_missing_day_is_made_by_the_writer()
    {
        var writer = await _fixture.NewShardAsync();
        var first = _events.Next();
        _events.UnixMilliseconds += (long)TimeSpan.FromDays(40).TotalMilliseconds;
        var second = _events.Next();

        await writer.AppendAsync(first, second);

        Assert.Equal([first.Id, second.Id], (await _fixture.ReadAllAsync(_events.OrganizationNo)).Select(stored => stored.Id));
        Assert.Equal("events_20260309 events_20260419", await DaysAsync());
    }

    [Fact]
    public async Task Days_are_made_ahead_while_the_server_runs()
    {
        using var upkeep = new StoreUpkeep(_fixture.Stores.Events, _fixture.Time, NullLogger<StoreUpkeep>.Instance);
        await upkeep.StartAsync(CancellationToken.None);
        _fixture.Time.Advance(TimeSpan.FromDays(2));

        await Poll.UntilAsync(
            async () => await DaysAsync() == "events_20260309 events_20260319",
            "the days are made",
            () => _fixture.Time.Advance(StoreUpkeep.Interval));

        await upkeep.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_commit_that_waited_for_a_claim_is_fenced()
    {
        var writer = await _fixture.NewShardAsync();
        await using var source = NpgsqlDataSource.Create(_fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand($"SELECT 1 FROM shards WHERE shard = {writer.Claim.Shard} FOR UPDATE", connection);
        await hold.ExecuteNonQueryAsync();

        // Both queue up behind our lock, the claim first.
        var claim = _fixture.Stores.Events.ClaimShardAsync(writer.Claim.Shard, Guid.NewGuid(), default, CancellationToken.None);
        await UntilWaitingAsync(1);
        var append = writer.AppendAsync(_events.Next());
        await UntilWaitingAsync(2);
        await transaction.CommitAsync();

        await claim;
        Assert.Equal(StoreFailure.Fenced, (await Assert.ThrowsAsync<StoreException>(() => append)).Failure);
        Assert.Empty(await _fixture.ReadAllAsync(_events.OrganizationNo));
    }

    [Fact]
    public async Task A_row_that_text_cannot_hold_is_refused_and_the_rest_can_go_on()
    {
        var writer = await _fixture.NewShardAsync();
        var (good, bad) = (_events.Next(), _events.Next("a\0b"));

        var exception = await Assert.ThrowsAsync<StoreException>(() => writer.AppendAsync(good, bad));
        Assert.Equal((StoreFailure.RowRefused, "22021"), (exception.Failure, exception.Code));

        await writer.AppendAsync(good);
        Assert.Single(await _fixture.ReadAllAsync(_events.OrganizationNo));
    }

    [Fact]
    public async Task A_read_only_database_is_unavailable_until_it_is_not()
    {
        var writer = await _fixture.NewShardAsync();
        await _fixture.ScalarAsync("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '25006'; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON shards FOR EACH ROW EXECUTE FUNCTION refuse()
            """);

        var exception = await Assert.ThrowsAsync<StoreException>(() => writer.AppendAsync(_events.Next()));
        Assert.Equal((StoreFailure.Unavailable, "25006"), (exception.Failure, exception.Code));
        Assert.Contains("read-only", exception.Message, StringComparison.Ordinal);

        await _fixture.ScalarAsync("DROP TRIGGER refuse ON shards");
        await writer.AppendAsync(_events.Next());
    }

    private async Task UntilWaitingAsync(long count)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((long)(await _fixture.ScalarAsync(Waiting))! < count) deadline.Token.ThrowIfCancellationRequested();
    }

    private async Task<string> DaysAsync() => (string)(await _fixture.ScalarAsync("""
        SELECT min(c.relname) || ' ' || max(c.relname)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events'::regclass
        """))!;
}
