using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresReplayTests(PostgresFixture fixture) : ReplayConformance<PostgresFixture>(fixture);

public sealed class SqliteReplayTests(SqliteFixture fixture) : ReplayConformance<SqliteFixture>(fixture);

/// <summary>What comparing the journal with the store asks: the checkpoint as it is, and which events are there or set aside.</summary>
public abstract class ReplayConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private readonly TestEvents _events = new(StoreFixture.NextNumber());

    [Fact]
    public async Task The_checkpoint_is_told_without_a_claim()
    {
        var writer = await fixture.NewShardAsync();
        Assert.Equal(default, await CheckpointAsync(writer));

        await writer.AppendAsync(_events.Next(), _events.Next());

        Assert.Equal(writer.At, await CheckpointAsync(writer));
        await writer.AppendAsync(_events.Next()); // not fenced
        Assert.Equal(default, await fixture.Stores.Events.ReadCheckpointAsync(writer.Claim.Shard, Guid.NewGuid(), CancellationToken.None));
    }

    [Fact]
    public async Task Stored_and_set_aside_events_are_known_and_others_are_not()
    {
        var writer = await fixture.NewShardAsync();
        var (stored, aside, missing) = (_events.Next(), _events.Next(), _events.Next());
        await writer.AppendAsync(stored);
        var next = writer.After([aside]);
        await fixture.Stores.Events.QuarantineAsync(writer.Claim, writer.At, next, aside, "a test", CancellationToken.None);

        var known = await fixture.Stores.Replays.FindKnownAsync(new[] { stored, aside, missing }, CancellationToken.None);

        Assert.Equal([stored.Id, aside.Id], known.There.Order());
        Assert.Empty(known.Removed);
        var ofAnother = stored with { OrganizationNo = StoreFixture.NextNumber() };
        Assert.False((await fixture.Stores.Replays.FindKnownAsync(new[] { ofAnother }, CancellationToken.None)).Contains(stored.Id));
    }

    [Fact]
    public async Task An_event_that_is_set_aside_twice_is_kept_once()
    {
        var writer = await fixture.NewShardAsync();
        var aside = _events.Next();
        var at = writer.At;
        await fixture.Stores.Events.QuarantineAsync(writer.Claim, at, at, aside, "a test", CancellationToken.None);
        await fixture.Stores.Events.QuarantineAsync(writer.Claim, at, writer.After([aside]), aside, "a test", CancellationToken.None);

        Assert.Equal(1L, await fixture.ScalarAsync($"SELECT count(*) FROM quarantine WHERE shard = {writer.Claim.Shard}"));
    }

    private Task<Checkpoint> CheckpointAsync(ShardWriter writer) =>
        fixture.Stores.Events.ReadCheckpointAsync(writer.Claim.Shard, writer.Claim.JournalId, CancellationToken.None);
}
