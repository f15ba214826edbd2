using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Changes endpoints: in the store first, then in their lanes, one change at a time.</summary>
internal sealed partial class EndpointConfiguration(
    IDeliveryStore store, LaneTable lanes, AddressGuard guard, DeliveryOptions options, TimeProvider time, ILogger logger, Action<Lane> advance) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);

    // New endpoints whose storing was not answered: they may be stored, so the next try is about the same endpoint and the same secret.
    private readonly Dictionary<int, EndpointRecord> _unsettled = [];

    /// <summary>
    /// Sets where the organization's default endpoint is: makes it with a new secret, or keeps id, cursor and secret and enables it. Throws
    /// <see cref="Storing.StoreException"/>.
    /// </summary>
    /// <param name="organizationNo">The organization.</param>
    /// <param name="url">A URL that the guard has passed.</param>
    /// <param name="lastAccepted">
    /// See <see cref="Accounts.Organization.LastAccepted"/>: a new endpoint gets what is accepted after it was made.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task<EndpointRecord> SetDefaultAsync(int organizationNo, string url, ulong lastAccepted, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            var lane = lanes.DefaultOf(organizationNo);
            var record = lane is null
                ? (_unsettled.GetValueOrDefault(organizationNo) ?? NewDefault(organizationNo, url, lastAccepted, now)) with { Url = url }
                : lane.Endpoint with { Url = url, Enabled = true, DisabledReason = null, UpdatedAt = now };
            if (lane is null) _unsettled[organizationNo] = record;
            await store.SaveEndpointAsync(record, cancellationToken);
            Failpoint.Pass(Failpoint.EndpointCommitted);
            _unsettled.Remove(organizationNo);
            var target = WebhookTarget.Create(record, guard);
            if (lane is null) lanes.Add(lane = new Lane(target, options, time));
            else lane.Target = target;
            advance(lane);
            return record;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Disables a lane whose receiver answered 410, at once in memory and as soon as the store takes it there. Does nothing when the URL
    /// has been changed since the try started.
    /// </summary>
    public async Task DisableAsync(Lane lane, WebhookTarget tried, string reason, CancellationToken stop)
    {
        var backoff = new Backoff(time);
        while (!stop.IsCancellationRequested)
        {
            await _one.WaitAsync(CancellationToken.None);
            try
            {
                var current = lane.Endpoint;
                if (current.Url != tried.Endpoint.Url || (!current.Enabled && backoff.Failures == 0)) return;
                var record = current with { Enabled = false, DisabledReason = reason, UpdatedAt = time.GetUtcNow() };
                lane.Target = WebhookTarget.Create(record, guard);
                await store.SaveEndpointAsync(record, stop);
                Log.Disabled(logger, record.Id, reason);
                return;
            }
            catch (Exception exception)
            {
                if (backoff.IsGrowing) Log.DisableFailed(logger, exception, lane.Endpoint.Id);
            }
            finally
            {
                _one.Release();
            }

            await backoff.WaitAsync(backoff.Failed(), stop);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private static EndpointRecord NewDefault(int organizationNo, string url, ulong lastAccepted, DateTimeOffset now) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organizationNo,
        IsDefault = true,
        Url = url,
        Secret = WebhookSecret.Generate(),
        Enabled = true,
        // Ids can be ahead of the clock, so the last one accepted counts if it is later.
        DeliveredThrough = new EventId(Math.Max(EventId.LowerBound(now).High, lastAccepted), lastAccepted > EventId.LowerBound(now).High ? ulong.MaxValue : 0),
        CreatedAt = now,
        UpdatedAt = now,
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = LogEvents.EndpointConfigurationDisabled, Level = LogLevel.Warning, Message = "Endpoint {EndpointId} is disabled: {Reason}")]
        public static partial void Disabled(ILogger logger, Guid endpointId, string reason);

        [LoggerMessage(EventId = LogEvents.EndpointConfigurationDisableFailed, Level = LogLevel.Warning, Message = "Cannot store that endpoint {EndpointId} is disabled; trying again")]
        public static partial void DisableFailed(ILogger logger, Exception exception, Guid endpointId);
    }
}
