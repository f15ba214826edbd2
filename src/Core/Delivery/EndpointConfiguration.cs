using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Changes endpoints: in the store first, then in their lanes, one change at a time. Every call throws
/// <see cref="Storing.StoreException"/> when the store does not answer; the same call again then leads to one outcome.
/// </summary>
internal sealed partial class EndpointConfiguration(
    IDeliveryStore store,
    LaneTable lanes,
    AddressGuard guard,
    DeliveryOptions options,
    TimeProvider time,
    ILogger logger,
    Action<Lane> advance,
    TellOrganization tell) : IDisposable
{
    /// <summary>How long the secret before the present one signs along.</summary>
    public static readonly TimeSpan PreviousSecretLives = TimeSpan.FromHours(24);

    private readonly SemaphoreSlim _one = new(1);
    private readonly UnsettledEndpoints _unsettled = new(options.MaxEndpoints);

    /// <summary>
    /// Sets where the organization's default endpoint is: makes it with a new secret, or keeps all else and enables it.
    /// </summary>
    /// <param name="organizationNo">The organization.</param>
    /// <param name="url">A URL that the guard has passed.</param>
    /// <param name="lastAccepted">
    /// See <see cref="Accounts.Organization.LastAccepted"/>: a new endpoint gets what is accepted after it was made.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<EndpointRecord> SetDefaultAsync(int organizationNo, string url, ulong lastAccepted, CancellationToken cancellationToken) =>
        OneAtATimeAsync(
            () =>
            {
                var now = time.GetUtcNow();
                if (lanes.DefaultOf(organizationNo) is { } lane)
                {
                    _unsettled.Settle(organizationNo, call: "");
                    var changed = lane.Endpoint with { Url = url, Enabled = true, DisabledReason = null, UpdatedAt = now };
                    return SaveAsync(lane, changed, cancellationToken);
                }

                var made = NewDefault(organizationNo, url, LastPlace(lastAccepted, now), now);
                return AddAsync(_unsettled.Plan(organizationNo, call: "", made) with { Url = url }, call: "", cancellationToken);
            },
            cancellationToken);

    /// <summary>Makes an endpoint, unless the organization has as many as it may.</summary>
    /// <param name="made">The endpoint, with a new id and secret.</param>
    /// <param name="call">What was asked for, as it was sent: the same again after a lost answer is about the same endpoint.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<EndpointChange> CreateAsync(EndpointRecord made, string call, CancellationToken cancellationToken) =>
        OneAtATimeAsync<EndpointChange>(
            async () =>
            {
                // Stored by a try whose reply was lost, and read back since.
                if (_unsettled.Find(made.OrganizationNo, call) is { } known && lanes.Find(made.OrganizationNo, known.Id) is { } there)
                {
                    _unsettled.Settle(made.OrganizationNo, call);
                    return there.Endpoint;
                }

                if (lanes.Of(made.OrganizationNo).Length >= options.MaxEndpoints) return EndpointRefusal.TooManyEndpoints;
                return await AddAsync(_unsettled.Plan(made.OrganizationNo, call, made), call, cancellationToken);
            },
            cancellationToken);

    /// <summary>Changes an endpoint of the organization.</summary>
    /// <param name="organizationNo">The organization.</param>
    /// <param name="endpointId">The endpoint.</param>
    /// <param name="change">Makes the new row from the present one, but for its filters.</param>
    /// <param name="patterns">The new filter for events accepted from now on; null leaves the old one.</param>
    /// <param name="lastAccepted">See <see cref="SetDefaultAsync"/>.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<EndpointChange> ChangeAsync(
        int organizationNo,
        Guid endpointId,
        Func<EndpointRecord, EndpointRecord> change,
        EventTypePatterns? patterns,
        ulong lastAccepted,
        CancellationToken cancellationToken) =>
        OneAtATimeAsync<EndpointChange>(
            async () =>
            {
                if (lanes.Find(organizationNo, endpointId) is not { } lane) return EndpointRefusal.NotFound;
                var changed = change(lane.Endpoint) with { UpdatedAt = time.GetUtcNow() };
                if (patterns is null || patterns.Equals(changed.Filters.Current)) return await SaveAsync(lane, changed, cancellationToken);
                try
                {
                    var from = lane.Pin(LastPlace(lastAccepted, time.GetUtcNow()));
                    var filters = changed.Filters.TryChange(patterns, from, changed.FirstPlace, lane.Cursor);
                    if (filters is null) return EndpointRefusal.TooManyFilters;
                    return await SaveAsync(lane, changed with { Filters = filters }, cancellationToken);
                }
                finally
                {
                    lane.Unpin();
                    advance(lane);
                }
            },
            cancellationToken);

    /// <summary>
    /// Gives an endpoint of the organization a new secret; the old one signs along for a day. Null when it has none with this id.
    /// </summary>
    public Task<EndpointRecord?> RotateSecretAsync(int organizationNo, Guid endpointId, CancellationToken cancellationToken) =>
        OneAtATimeAsync<EndpointRecord?>(
            async () =>
            {
                if (lanes.Find(organizationNo, endpointId) is not { } lane) return null;
                var (now, secret) = (time.GetUtcNow(), _unsettled.PlanSecret(endpointId));
                if (lane.Endpoint.Secret == secret)
                {
                    // Stored by a try whose reply was lost, and read back since.
                    _unsettled.SettleSecret(endpointId);
                    return lane.Endpoint;
                }

                var rotated = lane.Endpoint with
                {
                    Secret = secret,
                    PreviousSecret = lane.Endpoint.Secret,
                    PreviousSecretUntil = now + PreviousSecretLives,
                    UpdatedAt = now,
                };
                var saved = await SaveAsync(lane, rotated, cancellationToken);
                _unsettled.SettleSecret(endpointId);
                return saved;
            },
            cancellationToken);

    /// <summary>Removes an endpoint of the organization; false when it has none with this id.</summary>
    /// <param name="organizationNo">The organization.</param>
    /// <param name="endpointId">The endpoint.</param>
    /// <param name="recorded">What was being recorded of it when it stopped.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<bool> RemoveAsync(int organizationNo, Guid endpointId, Func<Task> recorded, CancellationToken cancellationToken) =>
        OneAtATimeAsync(
            async () =>
            {
                // A removal whose reply was lost may have been read back since.
                if (lanes.Find(organizationNo, endpointId) is not { } lane) return _unsettled.SettleRemoval(endpointId);
                lane.SetRemoved(true);
                try
                {
                    await recorded();
                    await store.DeleteEndpointAsync(organizationNo, endpointId, time.GetUtcNow(), cancellationToken);
                }
                catch
                {
                    _unsettled.PlanRemoval(endpointId);
                    lane.SetRemoved(false);
                    advance(lane);
                    throw;
                }

                Failpoint.Pass(Failpoint.EndpointCommitted);
                _unsettled.SettleSecret(endpointId);
                _unsettled.SettleRemoval(endpointId);
                lanes.Remove(lane);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Takes over what another server has changed about the endpoints of these organizations. They are read in here, so that no change of
    /// this process comes in between.
    /// </summary>
    /// <param name="organizationNos">The organizations.</param>
    /// <param name="read">Reads their endpoints.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<bool> TakeOverAsync(
        IReadOnlyCollection<int> organizationNos,
        Func<CancellationToken, Task<IReadOnlyList<EndpointRecord>>> read,
        CancellationToken cancellationToken) =>
        OneAtATimeAsync(
            async () =>
            {
                var stored = (await read(cancellationToken)).ToDictionary(static endpoint => endpoint.Id);
                foreach (var no in organizationNos)
                {
                    foreach (var lane in lanes.Of(no).ToArray()) TakeOver(lane, stored);
                }

                foreach (var endpoint in stored.Values) AddLane(endpoint);
                return true;
            },
            cancellationToken);

    /// <summary>Keeps since when a lane's endpoint fails and when that was told.</summary>
    public Task<bool> NoteHealthAsync(
        Lane lane, DateTimeOffset? failingSince, DateTimeOffset? toldAt, CancellationToken cancellationToken) =>
        OneAtATimeAsync(
            async () =>
            {
                var endpoint = lane.Endpoint;
                await store.SaveHealthAsync(endpoint.OrganizationNo, endpoint.Id, failingSince, toldAt, cancellationToken);
                lane.Target = WebhookTarget.Create(endpoint with { FailingSince = failingSince, FailingToldAt = toldAt }, guard);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Disables a lane, because its receiver answered 410 or has failed for too long: at once in memory and as soon as the store takes it
    /// there; its organization is told. Does nothing when the URL has been changed since the try started, or the endpoint removed.
    /// </summary>
    public async Task DisableAsync(Lane lane, WebhookTarget tried, string reason, CancellationToken stop)
    {
        var backoff = new Backoff(time);
        var at = time.GetUtcNow();
        while (!stop.IsCancellationRequested)
        {
            await _one.WaitAsync(CancellationToken.None);
            try
            {
                var current = lane.Endpoint;
                if (lane.IsRemoved || current.Url != tried.Endpoint.Url || (!current.Enabled && backoff.Failures == 0)) return;
                var record = current with { Enabled = false, DisabledReason = reason, DisabledAt = at, UpdatedAt = at };
                lane.Target = WebhookTarget.Create(record, guard);
                var isTold = await tell(OperationalEvent.Disabled(record, at, reason));
                await store.SaveEndpointAsync(record, stop);
                if (!isTold) await tell(OperationalEvent.Disabled(record, at, reason));
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

    /// <summary>
    /// The place behind everything accepted until now. Ids can be ahead of the clock, so the last one accepted counts if it is later.
    /// </summary>
    public static EventId LastPlace(ulong lastAccepted, DateTimeOffset now)
    {
        var clock = EventId.LowerBound(now);
        return lastAccepted > clock.High ? new EventId(lastAccepted, ulong.MaxValue) : clock;
    }

    private static EndpointRecord NewDefault(int organizationNo, string url, EventId place, DateTimeOffset now) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organizationNo,
        IsDefault = true,
        Url = url,
        Secret = WebhookSecret.Generate(),
        Enabled = true,
        DeliveredThrough = place,
        StartsAfter = place,
        CreatedAt = now,
        UpdatedAt = now,
    };

    private async Task<EndpointRecord> AddAsync(EndpointRecord record, string call, CancellationToken cancellationToken)
    {
        await store.SaveEndpointAsync(record, cancellationToken);
        Failpoint.Pass(Failpoint.EndpointCommitted);
        _unsettled.Settle(record.OrganizationNo, call);
        AddLane(record);
        return record;
    }

    private void AddLane(EndpointRecord record)
    {
        var lane = new Lane(WebhookTarget.Create(record, guard), options, time);
        lanes.Add(lane);
        advance(lane);
    }

    /// <summary>Takes the lane's row out of those stored; a lane without one is removed.</summary>
    private void TakeOver(Lane lane, Dictionary<Guid, EndpointRecord> stored)
    {
        var known = lane.Endpoint;
        if (!stored.Remove(known.Id, out var row))
        {
            lane.SetRemoved(true);
            lanes.Remove(lane);
            return;
        }

        // Cursor and health are each server's own.
        row = row with
        {
            DeliveredThrough = known.DeliveredThrough,
            LaneGeneration = known.LaneGeneration,
            FailingSince = known.FailingSince,
            FailingToldAt = known.FailingToldAt,
        };
        if (row == known) return;
        lane.Target = WebhookTarget.Create(row, guard);
        advance(lane);
    }

    private async Task<EndpointRecord> SaveAsync(Lane lane, EndpointRecord record, CancellationToken cancellationToken)
    {
        var wasEnabled = lane.Endpoint.Enabled;
        if (record.Enabled != wasEnabled) record = record with { DisabledReason = null, DisabledAt = wasEnabled ? record.UpdatedAt : null };
        if (record.Enabled && !wasEnabled)
        {
            await store.SaveHealthAsync(record.OrganizationNo, record.Id, failingSince: null, toldAt: null, cancellationToken);
            record = record with { FailingSince = null, FailingToldAt = null };
        }

        await store.SaveEndpointAsync(record, cancellationToken);
        Failpoint.Pass(Failpoint.EndpointCommitted);
        lane.Target = WebhookTarget.Create(record, guard);
        advance(lane);
        return record;
    }

    private async Task<T> OneAtATimeAsync<T>(Func<Task<T>> change, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await change();
        }
        finally
        {
            _one.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.EndpointConfigurationDisabled, Level = LogLevel.Warning,
            Message = "Endpoint {EndpointId} is disabled: {Reason}")]
        public static partial void Disabled(ILogger logger, Guid endpointId, string reason);

        [LoggerMessage(
            EventId = LogEvents.EndpointConfigurationDisableFailed, Level = LogLevel.Warning,
            Message = "Cannot store that endpoint {EndpointId} is disabled; trying again")]
        public static partial void DisableFailed(ILogger logger, Exception exception, Guid endpointId);
    }
}
