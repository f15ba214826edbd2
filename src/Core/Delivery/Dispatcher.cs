using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Delivers stored events to webhook endpoints. It joins the parts below and starts and stops them; each part is a loop or a table of its own.
/// <code>
/// EventsStored: LaneReader, Lane (one per endpoint), Turns, AttemptRunner, OutcomeRecorder: store
/// retries due:  RetrySweep, Lane …
/// </code>
/// </summary>
internal sealed partial class Dispatcher : IAsyncDisposable
{
    /// <summary>Between two looks for slow tries and for pauses that have ended.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a stop waits for tries in flight, and then for the store; the whole server has 30 s.</summary>
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(10);

    /// <summary>How long a removal waits for what is being recorded.</summary>
    private static readonly TimeSpan RemovalBound = TimeSpan.FromSeconds(5);

    private readonly IDeliveryStore _store;
    private readonly AddressGuard _guard;
    private readonly DeliveryOptions _options;
    private readonly ILoopHost _host;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LaneTable _lanes = new();
    private readonly WebhookSender _sender;
    private readonly SendWebhook _send;
    private readonly EndpointConfiguration _configuration;
    private readonly EndpointWatch _watch;
    private readonly Turns _turns;
    private readonly LaneReader _reader;
    private readonly OutcomeRecorder _recorder;
    private readonly RetrySweep _sweep;
    private readonly CancellationTokenSource _stopLoops = new();
    private readonly CancellationTokenSource _cutTries = new();
    private Task _loops = Task.CompletedTask;
    private Task _recording = Task.CompletedTask;
    private bool _isLoaded;

    /// <summary>Creates a dispatcher that does nothing until started.</summary>
    /// <param name="store">Where endpoints, events and outcomes are.</param>
    /// <param name="options">Settings.</param>
    /// <param name="guard">Says where webhooks may go.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="logger">Log.</param>
    /// <param name="connector">Opens connections; null = through <paramref name="guard"/> with the system's resolver.</param>
    /// <param name="random">Draws the jitter; null = at random.</param>
    /// <param name="send">Makes a try; null = a <see cref="WebhookSender"/> does.</param>
    /// <param name="host">Where the loops run; null = on the pool.</param>
    /// <param name="tell">Tells organizations of failing endpoints and dead letters; null = nobody is told.</param>
    public Dispatcher(
        IDeliveryStore store,
        DeliveryOptions options,
        AddressGuard guard,
        TimeProvider time,
        ILogger logger,
        GuardedConnector? connector = null,
        Func<double>? random = null,
        SendWebhook? send = null,
        ILoopHost? host = null,
        TellOrganization? tell = null)
    {
        tell ??= static _ => Task.FromResult(true);
        (_store, _options, _guard, _host, _time, _logger) = (store, options, guard, host ?? SystemLoopHost.Instance, time, logger);
        _sender = new WebhookSender(options, connector ?? new GuardedConnector(guard), time, logger);
        _send = send ?? _sender.SendAsync;
        _configuration = new EndpointConfiguration(store, _lanes, guard, options, time, logger, Advance, tell);
        _watch = new EndpointWatch(_lanes, _configuration, options, time, logger, tell);
        var news = new DeadLetterNews(store, tell, logger);
        Gone = new GoneEvents(time);
        _recorder = new OutcomeRecorder(store, news, Gone, Counters, time, logger, () => InFlight, held => _turns!.Hold(held), at => _sweep!.Due(at));
        var runner = new AttemptRunner(_send, _recorder, Gone, new RetrySchedule(options.RetrySchedule, random), time, logger, Disable, Refill);
        _turns = new Turns(options, _host, time, (started, place) => runner.RunAsync(started, place, _cutTries.Token));
        _reader = new LaneReader(store, time, logger, Advance, _recorder.CursorMoved);
        _sweep = new RetrySweep(store, options, time, logger, () => _lanes.All, () => !_recorder.IsFailing, Advance);
    }

    /// <summary>What has been delivered since the start.</summary>
    public DeliveryCounters Counters { get; } = new();

    /// <summary>Events that are in the store no more, while memory may hold them.</summary>
    public GoneEvents Gone { get; }

    /// <summary>Tries in flight.</summary>
    public int InFlight => _turns.InUse;

    /// <summary>Endpoints that are so at the moment.</summary>
    public int CountEndpoints(EndpointState state) => _lanes.All.Count(lane => lane.Health.State == state);

    /// <summary>Results that are not in the store yet.</summary>
    public int Unrecorded => _recorder.Unrecorded;

    /// <summary>
    /// Loads the endpoints: before any is changed. Throws <see cref="Storing.StoreException"/>, and then may be called again.
    /// </summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var endpoints = await _store.LoadEndpointsAsync(cancellationToken);
        List<Lane> lanes = [.. endpoints.Select(endpoint => new Lane(WebhookTarget.Create(endpoint, _guard), _options, _time))];
        foreach (var lane in lanes.Where(static lane => lane.Endpoint.Ordering == EndpointOrdering.Key))
        {
            var (endpoint, since) = (lane.Endpoint, _time.GetUtcNow() - _options.OrderingWait);
            lane.HaveFailed(await _store.ReadFailingKeysAsync(endpoint.OrganizationNo, endpoint.Id, since, cancellationToken));
        }

        _lanes.AddRange(lanes);
        _isLoaded = true;
    }

    /// <summary>
    /// Sends lanes back, since events from <paramref name="earliest"/> on are about to be stored that lanes may have passed: see
    /// <see cref="LaneRewind"/>. Between <see cref="LoadAsync"/> and <see cref="StartAsync"/>. Throws <see cref="Storing.StoreException"/>.
    /// </summary>
    public async Task RewindAsync(EventId earliest, CancellationToken cancellationToken)
    {
        var count = await LaneRewind.RunAsync(_store, earliest, cancellationToken);
        if (count == 0) return;
        var stored = (await _store.LoadEndpointsAsync(cancellationToken)).ToDictionary(static endpoint => endpoint.Id);
        foreach (var lane in _lanes.All)
        {
            if (stored.TryGetValue(lane.Endpoint.Id, out var record) && record.LaneGeneration != lane.Generation) lane.Rewind(record);
        }

        Log.Rewound(_logger, count, earliest);
    }

    /// <summary>
    /// Loads the endpoints unless that is done, and (if webhooks are enabled) starts sending from their cursors. Throws
    /// <see cref="Storing.StoreException"/>.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_isLoaded) await LoadAsync(cancellationToken);
        var endpoints = _lanes.All.Count;
        if (!_options.Enabled)
        {
            Log.NotEnabled(_logger, endpoints);
            return;
        }

        _recording = KeepRunningAsync(_recorder.RunAsync);
        _loops = Task.WhenAll(
            KeepRunningAsync(() => _reader.RunAsync(_stopLoops.Token)),
            KeepRunningAsync(() => _sweep.RunAsync(_stopLoops.Token)),
            KeepRunningAsync(() => _watch.RunAsync(_stopLoops.Token)),
            KeepRunningAsync(() => TickAsync(_stopLoops.Token)));
        foreach (var lane in _lanes.All) Advance(lane);
        Log.Started(_logger, endpoints);
    }

    /// <summary>
    /// Starts no new try, lets those in flight end (at most 10 s, or until cancelled), records what has ended, and gives back what was
    /// claimed. What was cut off is sent again after the next start. Cancelled before it begins it is as good as a crash.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var isOrderly = !cancellationToken.IsCancellationRequested;
        var empty = _turns.StopAsync();
        await _stopLoops.CancelAsync();
        await _loops;
        using var bound = new CancellationTokenSource(StopBound, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        await using (either.Token.Register(_cutTries.Cancel)) await empty;
        _recorder.Complete();
        using var patience = new CancellationTokenSource(StopBound, _time);
        await using (patience.Token.Register(_recorder.GiveUp))
        await using (cancellationToken.Register(_recorder.GiveUp))
        {
            await _recording;
        }

        if (isOrderly) await ClaimRelease.RunAsync(_store, _lanes.All, _time, _logger);
    }

    /// <summary>
    /// Events of these organizations have been committed. Called by the store writer after each commit; cheap, never blocks or throws.
    /// </summary>
    public void EventsStored(ReadOnlySpan<int> organizationNos)
    {
        foreach (var organizationNo in organizationNos)
        {
            foreach (var lane in _lanes.Of(organizationNo))
            {
                lane.Wake();
                Advance(lane);
            }
        }
    }

    /// <summary>Whether the organization has an endpoint, so that somebody waits for its events. Cheap, never blocks or throws.</summary>
    public bool IsAwaited(int organizationNo) => _options.Enabled && !_lanes.Of(organizationNo).IsEmpty;

    /// <summary>These events have been acknowledged, and that is committed: no new try of them starts.</summary>
    public void Acknowledged(int organizationNo, IReadOnlyList<EventId> ids)
    {
        var lanes = _lanes.Of(organizationNo);
        if (lanes.IsEmpty || ids.Count == 0) return;
        var set = ids.ToHashSet();
        foreach (var lane in lanes)
        {
            if (lane.Acknowledged(set)) _recorder.CursorMoved(lane);
            Advance(lane);
        }
    }

    /// <summary>
    /// These events are about to be erased: when this completes no new try of them starts and no result of an earlier one is recorded any
    /// more.
    /// </summary>
    public async Task ErasingAsync(int organizationNo, IReadOnlyList<EventId> ids)
    {
        Gone.Add(organizationNo, ids);
        if (_lanes.Of(organizationNo).IsEmpty) return;
        await RecordedAsync();
        var set = ids.ToHashSet();
        foreach (var lane in _lanes.Of(organizationNo))
        {
            if (lane.Erased(set)) _recorder.CursorMoved(lane);
            Advance(lane);
        }
    }

    /// <summary>Replays have been committed, or retries given back, the first of them due then.</summary>
    public void RetriesDue(DateTimeOffset at) => _sweep.Due(at);

    /// <summary>
    /// Whether the endpoint's lane would send such an event: its filter at the event's time takes the type, and it is not told of itself.
    /// </summary>
    public bool Wants(int organizationNo, Guid endpointId, EventId id, string type, string? orderingKey) =>
        Find(organizationNo, endpointId) is { } endpoint && endpoint.Filters.At(id).Matches(type)
        && OperationalEvent.EndpointOf(type, orderingKey) != endpointId;

    /// <summary>The URL of the organization's default endpoint; null if it has none.</summary>
    public string? DefaultUrl(int organizationNo) => _lanes.DefaultOf(organizationNo)?.Endpoint.Url;

    /// <summary>The organization's endpoints in the order of their making; of those of one moment the default one is first.</summary>
    public IReadOnlyList<EndpointRecord> EndpointsOf(int organizationNo)
    {
        var endpoints = _lanes.Of(organizationNo).ToArray().Select(lane => lane.Endpoint);
        return [.. endpoints.OrderBy(one => one.CreatedAt).ThenByDescending(one => one.IsDefault).ThenBy(one => one.Id)];
    }

    /// <summary>How an endpoint of the organization is; null when it has none with this id.</summary>
    public EndpointHealth? HealthOf(int organizationNo, Guid endpointId) => _lanes.Find(organizationNo, endpointId)?.Health;

    /// <summary>An endpoint of the organization, or null.</summary>
    public EndpointRecord? Find(int organizationNo, Guid endpointId) => _lanes.Find(organizationNo, endpointId)?.Endpoint;

    /// <summary>See <see cref="EndpointConfiguration.SetDefaultAsync"/>.</summary>
    public Task<EndpointRecord> SetDefaultAsync(int organizationNo, string url, ulong lastAccepted, CancellationToken cancellationToken) =>
        _configuration.SetDefaultAsync(organizationNo, url, lastAccepted, cancellationToken);

    /// <summary>
    /// Holds all webhooks of a suspended organization, those in flight excepted, or lets them go on. Its events are kept and go out then.
    /// </summary>
    public void Hold(int organizationNo, bool held)
    {
        _lanes.Hold(organizationNo, held);
        foreach (var lane in _lanes.Of(organizationNo)) Advance(lane);
    }

    /// <summary>See <see cref="EndpointConfiguration.TakeOverAsync"/>.</summary>
    public Task TakeOverAsync(
        IReadOnlyCollection<int> organizationNos,
        Func<CancellationToken, Task<IReadOnlyList<EndpointRecord>>> read,
        CancellationToken cancellationToken) => _configuration.TakeOverAsync(organizationNos, read, cancellationToken);

    /// <summary>See <see cref="EndpointConfiguration.CreateAsync"/>.</summary>
    public Task<EndpointChange> CreateAsync(EndpointRecord made, string call, CancellationToken cancellationToken) =>
        _configuration.CreateAsync(made, call, cancellationToken);

    /// <summary>See <see cref="EndpointConfiguration.ChangeAsync"/>.</summary>
    public Task<EndpointChange> ChangeAsync(
        int organizationNo,
        Guid endpointId,
        Func<EndpointRecord, EndpointRecord> change,
        EventTypePatterns? patterns,
        ulong lastAccepted,
        CancellationToken cancellationToken) =>
        _configuration.ChangeAsync(organizationNo, endpointId, change, patterns, lastAccepted, cancellationToken);

    /// <summary>See <see cref="EndpointConfiguration.RotateSecretAsync"/>.</summary>
    public Task<EndpointRecord?> RotateSecretAsync(int organizationNo, Guid endpointId, CancellationToken cancellationToken) =>
        _configuration.RotateSecretAsync(organizationNo, endpointId, cancellationToken);

    /// <summary>See <see cref="EndpointConfiguration.RemoveAsync"/>.</summary>
    public Task<bool> RemoveAsync(int organizationNo, Guid endpointId, CancellationToken cancellationToken) =>
        _configuration.RemoveAsync(organizationNo, endpointId, RecordedAsync, cancellationToken);

    /// <summary>
    /// Sends an event of nobody's to the endpoint now, as it is configured, enabled or not; nothing is recorded. Also the headers that were
    /// sent.
    /// </summary>
    public async Task<(TryResult Result, IReadOnlyList<EndpointHeader> Headers)> SendTestAsync(
        EndpointRecord endpoint, DueEvent due, CancellationToken cancellationToken)
    {
        var target = WebhookTarget.Create(endpoint, _guard);
        var result = await _send(target, due, cancellationToken);
        return (result, _sender.HeadersOf(target, due, result.At));
    }

    /// <summary>Stops at once if it still runs, and closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_stopLoops.IsCancellationRequested) await StopAsync(new CancellationToken(canceled: true));
        _sender.Dispose();
        _configuration.Dispose();
        _stopLoops.Dispose();
        _cutTries.Dispose();
    }

    /// <summary>Lets a lane go on with whatever it can do now.</summary>
    private void Advance(Lane lane)
    {
        if (!_options.Enabled) return;
        Refill(lane);
        if (lane.IsReady) _turns.Enqueue(lane);
    }

    /// <summary>
    /// Lets a lane read on, claim, and wait for its rate. After a try this is all: its place goes on to the next lane, or to the same one,
    /// by itself.
    /// </summary>
    private void Refill(Lane lane)
    {
        _reader.Offer(lane);
        if (lane.TryBeginWait(out var wait)) _ = AdvanceAfterAsync(lane, wait);
        if (lane.MoreRetriesDue && lane.RetryRoom > 0) _sweep.RoomAgain();
    }

    /// <summary>What is being recorded now; not for long, since a store that is away does not take the removal either.</summary>
    private Task RecordedAsync() => Task.WhenAny(_recorder.BatchDone, Task.Delay(RemovalBound, _time));

    /// <summary>Goes on when the lane's rate limit lets it.</summary>
    private async Task AdvanceAfterAsync(Lane lane, TimeSpan wait)
    {
        // Timers count whole milliseconds: rounded down, the last one would be waited for in a loop.
        await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), _time, _stopLoops.Token));
        lane.EndWait();
        if (!_stopLoops.IsCancellationRequested) Advance(lane);
    }

    private void Disable(LaneTry ended, WebhookTarget tried) =>
        _ = _configuration.DisableAsync(ended.Lane, tried, "The receiver answered 410 Gone.", _stopLoops.Token);

    private async Task TickAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.WhenAny(Task.Delay(Tick, _time, stop));
            _turns.MoveSlow();
            foreach (var lane in _lanes.All) Advance(lane);
        }
    }

    /// <summary>
    /// Runs a loop, and starts it again when it fails in a way that it does not expect; while stopping, once more at the most.
    /// </summary>
    private async Task KeepRunningAsync(Func<Task> loop)
    {
        var backoff = new Backoff(_time);
        while (true)
        {
            try
            {
                await _host.Run(loop);
                return;
            }
            catch (Exception exception)
            {
                var wait = backoff.Failed();
                Log.LoopFailed(_logger, exception, wait);
                if (_stopLoops.IsCancellationRequested && backoff.Failures > 1) return;
                await backoff.WaitAsync(wait, _stopLoops.Token);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = LogEvents.DispatcherStarted, Level = LogLevel.Information, Message = "Webhooks: {Endpoints} endpoints loaded")]
        public static partial void Started(ILogger logger, int endpoints);

        [LoggerMessage(EventId = LogEvents.DispatcherRewound, Level = LogLevel.Warning, Message = "Events from {EventId} on are stored late: another server had the shard meanwhile; {Endpoints} endpoints look for them again")]
        public static partial void Rewound(ILogger logger, int endpoints, EventId eventId);

        [LoggerMessage(EventId = LogEvents.DispatcherNotEnabled, Level = LogLevel.Information, Message = "Webhooks are switched off; {Endpoints} endpoints are held")]
        public static partial void NotEnabled(ILogger logger, int endpoints);

        [LoggerMessage(EventId = LogEvents.DispatcherLoopFailed, Level = LogLevel.Error, Message = "A loop of the webhook delivery failed; it starts again in {Wait}")]
        public static partial void LoopFailed(ILogger logger, Exception exception, TimeSpan wait);
    }
}
