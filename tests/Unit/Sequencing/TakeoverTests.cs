using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Unit.Journal;
using ZapierTriggers.Tests.Unit.Storing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>
/// How a start takes the shard over: not from one that it could not go on for, and not without a word about events that come late.
/// </summary>
public sealed class TakeoverTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly StoreModel _store = new();

    [Fact]
    public async Task A_checkpoint_that_moves_while_the_shard_is_opened_is_looked_at_again()
    {
        var (journalId, stored) = await RunAsync();
        var (epoch, claims) = (_store.Epoch, 0);
        _store.BeforeClaim = () =>
        {
            // As by a commit of the former process that was still under way.
            if (claims++ == 0) _store.Move(journalId, stored with { Sequence = stored.Sequence - 1 });
        };

        await using var again = await OpenAsync();

        Assert.Equal((2, epoch + 1), (claims, _store.Epoch));
    }

    [Fact]
    public async Task A_checkpoint_that_moves_on_and_on_is_another_servers_and_that_one_is_not_fenced()
    {
        var (journalId, stored) = await RunAsync();
        var (epoch, claims) = (_store.Epoch, 0);
        _store.BeforeClaim = () => _store.Move(journalId, stored with { Sequence = stored.Sequence - ++claims });

        var error = await Assert.ThrowsAsync<JournalException>(OpenAsync);

        Assert.Contains("copy of this directory", error.Message, StringComparison.Ordinal);
        Assert.Equal(epoch, _store.Epoch);
    }

    [Fact]
    public async Task Events_that_come_after_those_of_another_journal_are_announced_before_they_are_stored()
    {
        EventId first;
        await using (var test = await OpenAsync())
        {
            _store.IsAway = true;
            first = (await test.SubmitAsync()).Id;
            await test.SubmitAsync();
        }

        _store.IsAway = false;
        _store.Move(Guid.NewGuid(), new Checkpoint(EventId.LowerBound(first.AcceptedAt.AddHours(1)), 7));
        var announced = new List<(EventId, int)>();

        await using var again = await OpenAsync((earliest, _) =>
        {
            announced.Add((earliest, _store.Events.Count));
            return Task.CompletedTask;
        });

        Assert.Equal([(first, 0)], announced);
        await again.Shard.LateStoredAsync(CancellationToken.None).WaitAsync(ShardUnderTest.Patience);
        Assert.Equal(2, _store.Events.Count);
    }

    [Fact]
    public async Task Webhooks_wait_until_what_is_late_is_stored()
    {
        EventId first;
        await using (var test = await OpenAsync())
        {
            _store.IsAway = true;
            first = (await test.SubmitAsync()).Id;
        }

        _store.IsAway = false;
        _store.Move(Guid.NewGuid(), new Checkpoint(EventId.LowerBound(first.AcceptedAt.AddHours(1)), 7));
        _store.Hold();
        await using var again = await OpenAsync();
        var stored = again.Shard.LateStoredAsync(CancellationToken.None);
        Assert.True(SpinWait.SpinUntil(() => _store.Appends > 0, ShardUnderTest.Patience));
        Assert.False(stored.IsCompleted);
        _store.Release();
        await stored.WaitAsync(ShardUnderTest.Patience);
    }

    [Fact]
    public async Task Events_that_nothing_was_stored_behind_are_not_late()
    {
        await using (var test = await OpenAsync())
        {
            _store.IsAway = true;
            await test.SubmitAsync();
        }

        _store.IsAway = false;
        await using var again = await OpenAsync((_, _) => throw new InvalidOperationException("nothing is late"));
        Assert.Equal(1, again.Shard.Recovered.Events);
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>One life with one stored event; its journal and where its checkpoint is.</summary>
    private async Task<(Guid JournalId, Checkpoint Stored)> RunAsync()
    {
        Guid journalId;
        await using (var test = await OpenAsync())
        {
            await test.StoredAsync((await test.SubmitAsync()).Id);
            journalId = test.Directory.JournalId;
        }

        return (journalId, await _store.ReadCheckpointAsync(0, journalId, default));
    }

    private Task<ShardUnderTest> OpenAsync() => OpenAsync((_, _) => Task.CompletedTask);

    private Task<ShardUnderTest> OpenAsync(Func<EventId, CancellationToken, Task> storedLate) =>
        ShardUnderTest.OpenAsync(_directory.At("a"), _store, storedLate: storedLate);
}
