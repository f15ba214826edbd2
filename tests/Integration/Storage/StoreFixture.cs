using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>A fresh, prepared database. Tests keep apart by using an organization and a shard of their own.</summary>
public abstract class StoreFixture : IAsyncLifetime
{
    private static int _last = Random.Shared.Next(1, 1 << 30);

    /// <summary>Noon of some day: what the stores take for now.</summary>
    internal static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    internal FakeTimeProvider Time { get; } = new(Noon);

    internal StoreSet Stores { get; private set; } = null!;

    internal StoreFacts Facts { get; private set; } = null!;

    internal abstract StorageOptions Options { get; }

    public async ValueTask InitializeAsync()
    {
        await CreateAsync();
        Stores = await OpenAsync();
        Facts = await Stores.PrepareAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Stores is not null) await Stores.DisposeAsync();
        await DropAsync();
    }

    /// <summary>A number that no other test of the run has.</summary>
    internal static int NextNumber() => Interlocked.Increment(ref _last);

    /// <summary>Opens the same database once more, as a second server would.</summary>
    internal Task<StoreSet> OpenAsync() => StoreSet.OpenAsync(Options, Time, CancellationToken.None);

    /// <summary>Takes a new shard.</summary>
    internal Task<ShardWriter> NewShardAsync() => ShardWriter.ClaimAsync(Stores.Events, NextNumber());

    /// <summary>Runs a statement behind the stores' back; returns the first value.</summary>
    internal abstract Task<object?> ScalarAsync(string sql);

    /// <summary>Reads all of an organization's events, oldest first.</summary>
    internal async Task<IReadOnlyList<StoredEvent>> ReadAllAsync(int organizationNo)
    {
        var query = new InboxQuery { OrganizationNo = organizationNo, Ascending = true, Limit = 1000 };
        return (await Stores.Events.ReadInboxAsync(query, CancellationToken.None)).Events;
    }

    protected abstract Task CreateAsync();

    protected abstract Task DropAsync();
}
