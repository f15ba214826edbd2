using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>One process's way to the deliveries, over the same connection as its events.</summary>
internal sealed class DeliveryConnection(StoreConnection connection, SimulatedStore store, Receivers receivers) : IDeliveryStore
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<EndpointRecord>> LoadEndpointsAsync(CancellationToken cancellationToken)
    {
        await connection.AskAsync();
        return receivers.Endpoints(store.Deliveries);
    }

    /// <inheritdoc/>
    public Task SaveHealthAsync(
        int organizationNo, Guid endpointId, DateTimeOffset? failingSince, DateTimeOffset? toldAt, CancellationToken cancellationToken) =>
        connection.CommitAsync(static () => { });

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since,
        CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task RewindLanesAsync(IReadOnlyList<LaneCursor> places, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public Task SaveEndpointAsync(EndpointRecord endpoint, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task DeleteEndpointAsync(int organizationNo, Guid endpointId, DateTimeOffset at, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public async Task<LanePage> ReadLaneAsync(LaneRead read, CancellationToken cancellationToken)
    {
        await connection.AskAsync();
        var events = store.Events.Where(row => row.OrganizationNo == read.OrganizationNo && row.Id > read.After).Take(read.Limit).ToList();
        var through = events.Count > 0 ? events[^1].Id : read.After;
        return new LanePage([.. events.Where(row => !store.Deliveries.IsKnown(read.EndpointId, row.Id)).Select(DueOf)], through);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ClaimedRetry>> ClaimRetriesAsync(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms, CancellationToken cancellationToken)
    {
        List<ClaimedRetry> claimed = [];
        await connection.CommitAsync(
            () => claimed = store.Deliveries.Claim(now, leaseUntil, limit, rooms, id => DueOf(store.Events.First(row => row.Id == id))));
        return claimed;
    }

    /// <inheritdoc/>
    public Task ReleaseRetriesAsync(IReadOnlyList<HeldClaim> claims, DateTimeOffset now, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public async Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken)
    {
        await connection.AskAsync();
        return store.Deliveries.NextRetry();
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(
        IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken)
    {
        await connection.AskAsync();
        return [.. results.Where(store.Deliveries.WouldDie)];
    }

    /// <inheritdoc/>
    public async Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken)
    {
        var isDueNow = false;
        await connection.CommitAsync(() =>
        {
            isDueNow = store.Deliveries.Record(batch, store.Events);
            foreach (var result in batch.Results.Where(_ => receivers.AsksAgain()))
                store.Deliveries.Replay(result.EndpointId, result.EventId, result.Attempt!.At);
        });
        return isDueNow;
    }

    private static DueEvent DueOf(StoredRow row) =>
        new() { Id = row.Id, Type = row.Type, Payload = BitConverter.GetBytes(row.PayloadHash), TraceParent = row.Trace };
}
