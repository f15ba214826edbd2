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

    private readonly IDeliveryStore _store;
    private readonly AddressGuard _guard;
    private readonly DeliveryOptions _options;
    private readonly ILoopHost _host;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LaneTable _lanes = new();
    private readonly WebhookSender _sender;
    private readonly EndpointConfiguration _configuration;
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
    public Dispatcher(
        IDeliveryStore store,
        DeliveryOptions options,
        AddressGuard guard,
        TimeProvider time,
        ILogger logger,
        GuardedConnector? connector = null,
        Func<double>? random = null,
        SendWebhook? send = null,
        ILoopHost? host = null)
    {
        (_store, _options, _guard, _host, _time, _logger) = (store, options, guard, host ?? SystemLoopHost.Instance, time, logger);
        _sender = new WebhookSender(options, connector ?? new GuardedConnector(guard), time, logger);
        _configuration = new EndpointConfiguration(store, _lanes, guard, options, time, logger, Advance);
        _recorder = new OutcomeRecorder(store, Counters, time, logger, () => InFlight, held => _turns!.Hold(held), at => _sweep!.Due(at));
        var runner = new AttemptRunner(send ?? _sender.SendAsync, _recorder, new RetrySchedule(options.RetrySchedule, random), time, logger, Disable, Advance);
        _turns = new Turns(options, _host, time, (started, place) => runner.RunAsync(started, place, _cutTries.Token));
        _reader = new LaneReader(store, time, logger, Advance, _recorder.CursorMoved);
        _sweep = new RetrySweep(store, options, time, logger, () => _lanes.All, () => !_recorder.IsFailing, Advance);
    }

    /// <summary>What has been delivered since the start.</summary>
    public DeliveryCounters Counters { get; } = new();

    /// <summary>Tries in flight.</summary>
    public int InFlight => _turns.InUse;

    /// <summary>Results that are not in the store yet.</summary>
    public int Unrecorded => _recorder.Unrecorded;

    /// <summary>
    /// Loads the endpoints: before any is changed. Throws <see cref="Storing.StoreException"/>, and then may be called again.
    /// </summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var endpoints = await _store.LoadEndpointsAsync(cancellationToken);
        _lanes.AddRange([.. endpoints.Select(endpoint => new Lane(WebhookTarget.Create(endpoint, _guard), _options, _time))]);
        _isLoaded = true;
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
            KeepRunningAsync(() => TickAsync(_stopLoops.Token)));
        foreach (var lane in _lanes.All) Advance(lane);
        Log.Started(_logger, endpoints);
    }

    /// <summary>
    /// Starts no new try, lets those in flight end (at most 10 s, or until cancelled), and records what has ended. What was cut off is sent
    /// again after the next start.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
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

    /// <summary>Replays have been committed, the first of them due then.</summary>
    public void ReplaysDue(DateTimeOffset at) => _sweep.Due(at);

    /// <summary>The URL of the organization's default endpoint; null if it has none.</summary>
    public string? DefaultUrl(int organizationNo) => _lanes.DefaultOf(organizationNo)?.Endpoint.Url;

    /// <summary>See <see cref="EndpointConfiguration.SetDefaultAsync"/>.</summary>
    public Task<EndpointRecord> SetDefaultAsync(int organizationNo, string url, ulong lastAccepted, CancellationToken cancellationToken) =>
        _configuration.SetDefaultAsync(organizationNo, url, lastAccepted, cancellationToken);

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
        _reader.Offer(lane);
        if (lane.IsReady) _turns.Enqueue(lane);
        if (lane.MoreRetriesDue && lane.RetryRoom > 0) _sweep.RoomAgain();
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

        [LoggerMessage(EventId = LogEvents.DispatcherNotEnabled, Level = LogLevel.Information, Message = "Webhooks are switched off; {Endpoints} endpoints are held")]
        public static partial void NotEnabled(ILogger logger, int endpoints);

        [LoggerMessage(EventId = LogEvents.DispatcherLoopFailed, Level = LogLevel.Error, Message = "A loop of the webhook delivery failed; it starts again in {Wait}")]
        public static partial void LoopFailed(ILogger logger, Exception exception, TimeSpan wait);
    }
}
