using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.DataRights;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;
using ZapierTriggers.Server.Ingest;
using ZapierTriggers.Server.Operations;
using ZapierTriggers.Server.Operations.Pages;
using ZapierTriggers.Server.Storage;
using ZapierTriggers.Server.Usage;
using ZapierTriggers.Server.Webhooks;

namespace ZapierTriggers.Server;

/// <summary>
/// The whole server, put together by hand in the order in which it starts:
/// <list type="number">
/// <item>settings, data directory (locked), admin token</item>
/// <item>stores, which nothing is asked of yet</item>
/// <item>routes and Kestrel: alive, not ready</item>
/// <item>database awaited for as long as it takes: schema, endpoints and accounts in memory</item>
/// <item>journal replayed, shard running: ready</item>
/// <item>webhooks</item>
/// </list>
/// It stops in the reverse order: no new requests, answers out, journal flushed and stored, webhooks recorded, stores closed, lock released.
/// </summary>
internal sealed partial class EventServer : IAsyncDisposable
{
    // Together below the 30 s that a service manager usually grants.
    private static readonly TimeSpan RequestsEnd = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StoringEnds = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan WebhooksEnd = TimeSpan.FromSeconds(8);

    private readonly WebApplication _app;
    private readonly ServerSettings _settings;
    private readonly DataDirectory _directory;
    private readonly StoreSet _stores;
    private readonly Readiness _readiness;
    private readonly IngestGate _gate;
    private readonly AddressGuard _guard;
    private readonly Dispatcher _dispatcher;
    private readonly ReplayRunner _replays;
    private readonly KeyUseWriter _keyUse;
    private readonly AccountWatch? _accountWatch;
    private readonly ErasureWatch? _erasureWatch;
    private readonly ServerMeter _meter = new();
    private readonly LedgerFigures _ledger;
    private readonly Cors _cors;
    private SettingsReload? _reload;
    private Registration? _registration;
    private readonly MemoryShares _memory = MemoryShares.OfThisProcess;
    private readonly AccountDirectory _accounts;
    private readonly RouteTable _routes = new();
    private readonly ILogger _logger;
    private readonly Retention _retention;
    private readonly StoreUpkeep _upkeep;
    private readonly ErasureRunner _erasures;
    private readonly MonthlyQuotas? _quotas;
    private readonly UsageUpkeep _usage;
    private Shard? _shard;
    private int[] _adminPorts = [];

    private EventServer(
        WebApplication app, ServerSettings settings, DataDirectory directory, AdminToken token, StoreSet stores, ResolveHost? resolve)
    {
        (_app, _settings, _directory, _stores) = (app, settings, directory, stores);
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        _logger = loggers.CreateLogger<EventServer>();
        _accounts = new AccountDirectory(TimeProvider.System);
        _cors = new Cors(settings.Cors);
        _readiness = new Readiness(stores.Events, TimeProvider.System);
        var time = TimeProvider.System;
        _gate = new IngestGate();
        _guard = new AddressGuard(settings.Delivery, BoundEndpoints);
        var feed = new OperationalFeed(
            _accounts, () => _shard, settings.Delivery.OperationalEvents, loggers.CreateLogger<OperationalFeed>());
        _dispatcher = new Dispatcher(
            stores.Deliveries, settings.Delivery, _guard, time, loggers.CreateLogger<Dispatcher>(),
            new GuardedConnector(_guard, resolve), tell: feed.TellAsync);
        _replays = new ReplayRunner(
            stores.DeadLetters, _dispatcher.Wants, _dispatcher.RetriesDue, time, loggers.CreateLogger<ReplayRunner>());
        _keyUse = new KeyUseWriter(_accounts, stores.Accounts, time, loggers.CreateLogger<KeyUseWriter>());
        var erasedHere = stores.Changes is null ? null : new ErasedHere();
        if (stores.Changes is { } changes)
        {
            _erasureWatch = new ErasureWatch(
                changes, _dispatcher, () => _shard, erasedHere!, settings.Journal.RetainFor, time, loggers.CreateLogger<ErasureWatch>());
            _accountWatch = new AccountWatch(changes, _accounts, _dispatcher, time, loggers.CreateLogger<AccountWatch>())
            {
                ErasuresHeard = _erasureWatch.Wake,
            };
        }

        _retention = new Retention(
            stores.Data.Retention, settings.Retention, () => [.. _accounts.Organizations], _dispatcher.Gone.AddThrough, time, stores.Data.Usage);
        _upkeep = new StoreUpkeep(stores.Events, time, loggers.CreateLogger<StoreUpkeep>(), _retention);
        ServerFigures.Add(_meter, () => _shard, _dispatcher, _readiness, directory.Path, time);
        GcPauses.Start();
        _ledger = new LedgerFigures(stores.Data.Ledger, () => _shard is not null, time, loggers.CreateLogger<LedgerFigures>());
        ServerFigures.AddData(_meter, _retention, _ledger);
        _erasures = new ErasureRunner(
            stores.Data.Erasures, _accounts, _dispatcher, () => _shard, new RefusedEvents(directory), time,
            loggers.CreateLogger<ErasureRunner>(), erasedHere);
        InboxMarks = new InboxMarkAdvancer(stores.Events, time, loggers.CreateLogger<InboxMarkAdvancer>());
        _quotas = settings.Quota.Enabled ? new MonthlyQuotas(settings.Quota, _accounts, time) : null;
        _usage = CreateUsage(feed.TellAsync, loggers);
        app.Run(CreatePipeline(token, loggers).RunAsync);
    }

    /// <summary>The addresses it listens on, with the ports that were really bound.</summary>
    public IReadOnlyCollection<string> Addresses => [.. _app.Urls.SkipLast(_settings.Http.AdminUrls.Count)];

    /// <summary>The same for the operator's addresses.</summary>
    public IReadOnlyCollection<string> AdminAddresses => [.. _app.Urls.TakeLast(_settings.Http.AdminUrls.Count)];

    /// <summary>What moves inbox marks, for the tests.</summary>
    public InboxMarkAdvancer InboxMarks { get; }

    /// <summary>Every route: method and template, for the tests that hold something true for each.</summary>
    public IReadOnlyList<(string Method, string Template)> Routes => [.. _routes.All];

    /// <summary>The same with who may call each.</summary>
    public IReadOnlyList<(string Method, string Template, RouteAccess Access)> DeclaredRoutes => [.. _routes.Declared];

    /// <summary>Where it logs; more places can be added.</summary>
    public ILoggerFactory Loggers => _app.Services.GetRequiredService<ILoggerFactory>();

    /// <summary>
    /// Completes when events are taken and webhooks are sent; without that when the server is stopped before. Throws what stops the start.
    /// </summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Starts it and returns when it is alive; <see cref="Ready"/> follows by itself. The banner goes to <paramref name="output"/>. What
    /// stops the start is thrown, here or there; <see cref="StartupFailure"/> turns it into a line. Webhooks' names are resolved by the
    /// system unless a test says otherwise; connections come from sockets unless a benchmark gives others.
    /// </summary>
    public static async Task<EventServer> StartAsync(
        string[] args, TextWriter output, ResolveHost? resolve = null, IConnectionListenerFactory? connections = null)
    {
        // 1.
        var builder = WebApplication.CreateSlimBuilder(args);
        var settings = ServerSettings.Load(builder.Configuration, builder.Environment.IsDevelopment());
        builder.Services.AddSystemd(); // tells systemd, where it runs us, that we are up and that we stop; before our own logging
        LoggingSetup.Configure(builder.Logging, settings.Log, builder.Configuration, terminal: !Console.IsOutputRedirected);
        KestrelSetup.Configure(builder, settings.Http, RequestsEnd);
        Telemetry.Add(builder.Services, builder.Configuration);
        if (connections is not null) builder.Services.AddSingleton(connections);
        var app = builder.Build();
        var directory = DataDirectory.Open(settings.Storage.DataDirectory, TimeProvider.System);
        var token = AdminToken.Provision(settings.Admin.Token, directory.Path, settings.Admin.PreviousToken);

        // 2.
        var stores = await StoreSet.OpenAsync(settings.Storage, TimeProvider.System, CancellationToken.None);
        var server = new EventServer(app, settings, directory, token, stores, resolve);
        try
        {
            // 3.
            await app.StartAsync();
            server._adminPorts = [.. server.AdminAddresses.SelectMany(ListenAddress.EndpointsOf).Select(endpoint => endpoint.Port)];
            server.Follow(builder.Configuration, builder.Environment.IsDevelopment());
            server.Ready = server.RunUpAsync(token, output);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when the process was told to stop. Throws what stops the start.</summary>
    public async Task WaitForShutdownAsync()
    {
        using var second = ShutdownSignals.ExitAtOnceOnSecond(_app.Lifetime);
        var stopped = _app.WaitForShutdownAsync();
        if (await Task.WhenAny(Ready, stopped) == Ready) await Ready;
        await stopped;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _readiness.Close();
        _reload?.Dispose();
        await _app.StopAsync();
        Failpoint.Pass(Failpoint.StopRequestsEnded);
        await Ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gate.Close("the server is stopping");
        await _erasures.StopAsync(CancellationToken.None);
        if (_erasureWatch is not null) await _erasureWatch.StopAsync(CancellationToken.None);
        await InboxMarks.StopAsync(CancellationToken.None);
        InboxMarks.Dispose();
        if (_shard is not null) await _shard.StopAsync(StoringEnds);
        Failpoint.Pass(Failpoint.StopStored);
        await _replays.StopAsync(CancellationToken.None);
        if (_accountWatch is not null) await _accountWatch.StopAsync(CancellationToken.None);
        using (var patience = new CancellationTokenSource(WebhooksEnd)) await _dispatcher.StopAsync(patience.Token);
        Failpoint.Pass(Failpoint.StopRecorded);
        await _dispatcher.DisposeAsync();
        await _readiness.DisposeAsync();
        if (_shard is not null) await _shard.DisposeAsync();
        Failpoint.Pass(Failpoint.StopJournalClosed);
        await _usage.StopAsync(CancellationToken.None);
        _usage.Dispose();
        await _keyUse.StopAsync(CancellationToken.None);
        await _upkeep.StopAsync(CancellationToken.None);
        await _ledger.DisposeAsync();
        await _stores.DisposeAsync();
        _meter.Dispose();
        Failpoint.Pass(Failpoint.StopClosed);
        _directory.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>
    /// Goes on with changed settings where that is safe. Not retention, where a slip would remove events, and not where webhooks may go, which
    /// is decided once for an endpoint's literal address.
    /// </summary>
    private void Follow(IConfigurationRoot configuration, bool development) => _reload = new SettingsReload(
        configuration,
        development,
        changed =>
        {
            _cors.Use(changed.Cors);
            _registration?.Use(changed.Registration);
        },
        Loggers.CreateLogger<SettingsReload>());

    private async Task RunUpAsync(AdminToken token, TextWriter output)
    {
        var stopping = _app.Lifetime.ApplicationStopping;
        stopping.Register(_readiness.Close);
        try
        {
            // 4.
            var wait = new StoreWait(output, _readiness.Await, TimeProvider.System, _logger);
            var display = await PrepareStoresAsync(wait, stopping);

            // 5.
            _readiness.Replay();
            await wait.ForAsync(OpenShardAsync, stopping);
            _gate.Open(_shard!);
            _readiness.Open(_shard!);

            await _keyUse.StartAsync(stopping);
            await _usage.StartAsync(stopping);
            if (_accountWatch is not null) await _accountWatch.StartAsync(stopping);
            await _upkeep.StartAsync(stopping);
            await _erasures.StartAsync(stopping);
            if (_erasureWatch is not null) await _erasureWatch.StartAsync(stopping);
            await InboxMarks.StartAsync(stopping);
            var ansi = output == Console.Out && !Console.IsOutputRedirected;
            new Banner(_settings, token, _directory.Path, display).Write(output, _app.Urls, ansi);

            // 6.
            await _shard!.LateStoredAsync(stopping);
            await _dispatcher.StartAsync(stopping);
            await _replays.StartAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped before it was ready: not a failure.
        }
    }

    /// <summary>Schema, endpoints and accounts; returns the database in words.</summary>
    private async Task<string> PrepareStoresAsync(StoreWait wait, CancellationToken stopping)
    {
        var facts = new StoreFacts("", []);
        await wait.ForAsync(async cancelled => facts = await _stores.PrepareAsync(cancelled), stopping);
        foreach (var warning in facts.Warnings) Log.StoreWarning(_logger, warning);
        if (_accountWatch is not null) await wait.ForAsync(_accountWatch.BeginAsync, stopping);
        await wait.ForAsync(_dispatcher.LoadAsync, stopping);

        // Last: from here on keys are valid, and calls change what has been loaded.
        await wait.ForAsync(
            async cancelled =>
            {
                var snapshot = await _stores.Accounts.LoadAsync(cancelled);
                foreach (var record in snapshot.Organizations.Where(record => record.SuspendedAt is not null))
                    _dispatcher.Hold(record.No, held: true);
                _accounts.Load(snapshot);
            },
            stopping);
        return facts.Display;
    }

    private async Task OpenShardAsync(CancellationToken cancellationToken)
    {
        var parts = new ShardParts(_stores.Events, _dispatcher.EventsStored, TimeProvider.System, _logger)
        {
            StoredLate = _dispatcher.RewindAsync,
            ErasedLate = erased => _erasureWatch?.Owe(erased),
            IsAwaited = _dispatcher.IsAwaited,
        };
        Task LoadQuotasAsync(CancellationToken cancelled) => _quotas!.LoadAsync(_stores.Data.Usage, _directory.JournalId, cancelled);
        if (_quotas is not null) parts = parts with { Recovering = _quotas.CountUnstored, Claimed = LoadQuotasAsync };
        var (journal, ingest, dedup) = (_memory.Cap(_settings.Journal), _memory.Cap(_settings.Ingest), _memory.Cap(_settings.Dedup));
        _shard = await Shard.OpenAsync(_directory, parts, journal, ingest, dedup, cancellationToken);
    }

    private Pipeline CreatePipeline(AdminToken token, ILoggerFactory loggers)
    {
        var time = TimeProvider.System;
        var authentication = new Authentication(_accounts, token);
        var routes = _routes;
        var (bodies, clock) = (new ByteBudget(_memory.Bodies), new MonotonicClock(time));
        var ingest = new IngestMiddleware(authentication, _gate, bodies, clock, time, _quotas);

        // The pipeline takes this path before the table; it is in the table for what else is asked there (405) and for the documentation.
        routes.MapBoth(HttpMethods.Post, "/events", RouteAccess.EventsWrite, (context, _) => ingest.HandleAsync(context));
        new EventsHandshake(authentication).Map(routes);
        var batches = new BatchMiddleware(authentication, _gate, bodies, clock, time, _directory.DedupSecret, _quotas);
        routes.MapBoth(HttpMethods.Post, "/events/batch", RouteAccess.EventsWrite, (context, _) => batches.HandleAsync(context));
        var registration = _registration = new Registration(
            _accounts, _stores.Accounts, authentication, _settings.Registration, time, loggers.CreateLogger<Registration>());
        var rotation = new KeyRotation(
            _accounts, _stores.Accounts, authentication, _settings.Keys, time, loggers.CreateLogger<KeyRotation>());
        var keys = new KeyCalls(_accounts, _stores.Accounts, authentication, _settings.Keys, time, loggers.CreateLogger<KeyCalls>());
        new AccountRoutes(_accounts, authentication, registration, rotation, keys, _dispatcher.DefaultUrl).Map(routes);
        new AdminRoutes(
            _accounts, _stores.Accounts, authentication, keys, _dispatcher.DefaultUrl, _dispatcher.Hold, time, loggers.CreateLogger<AdminRoutes>())
            .Map(routes);
        new AdminTokenRoutes(token, authentication, _stores.Audit, time, loggers.CreateLogger<AdminTokenRoutes>()).Map(routes);
        new AuditRoutes(_stores.Audit, authentication).Map(routes);
        new LimitsRoutes(
            _accounts, authentication, _settings.Keys, _settings.Delivery.MaxEndpoints, no =>
                _dispatcher.EndpointsOf(no).Count, clock, _quotas)
            .Map(routes);
        var pages = new PageRoom(_memory.Pages);
        new InboxRoutes(_stores.Events, authentication, StoredBarrierAsync, pages, _dispatcher.EndpointsOf, _retention.CutoffOf, InboxMarks).Map(routes);
        new AckRoutes(_stores.Events, authentication, StoredBarrierAsync, _dispatcher.Acknowledged, time).Map(routes);
        Authenticate manager = context => authentication.AuthenticateOrAnswerAsync(context, KeyScopes.WebhooksManage);
        new WebhookRoutes(manager, _dispatcher, _guard).Map(routes);
        new EndpointRoutes(manager, _dispatcher, _guard, _settings.Delivery, time).Map(routes);
        var replays = new ReplayCalls(
            _stores.DeadLetters, authentication, StoredBarrierAsync, _dispatcher.Wants, _dispatcher.RetriesDue, _replays.Wake, time);
        new DeadLetterRoutes(replays).Map(routes);
        new ReplayRoutes(replays).Map(routes);
        MapDataRights(authentication, pages);
        routes.Wrap(handler => StorageAnswers.Until(() => authentication.IsOpen, handler)); // what follows answers from the start
        new HealthRoutes(time, _readiness.Read, _meter, () => ServerDetail.Of(_shard, _dispatcher, time)).Map(routes);
        new PageRoutes().Map(routes);
        var metrics = Telemetry.BuildMetrics(_app.Services);
        routes.Map(HttpMethods.Get, "/metrics", (context, _) => metrics(context));
        routes.Freeze();
        return new Pipeline(new Edge(_settings.Http, () => _adminPorts), _cors, ingest, routes, loggers.CreateLogger<Pipeline>());
    }

    private void MapDataRights(Authentication authentication, PageRoom pages)
    {
        var (time, data, journalFor) = (TimeProvider.System, _stores.Data, _settings.Journal.RetainFor);
        new ExportRoutes(_stores.Events, authentication, StoredBarrierAsync, pages, _retention.CutoffOf, time).Map(_routes);
        new ErasureRoutes(data.Erasures, authentication, StoredBarrierAsync, _erasures, journalFor, time).Map(_routes);
        new OrganizationErasureRoutes(data.Erasures, _accounts, authentication, _erasures, journalFor, time).Map(_routes);
        new LedgerRoutes(data.Ledger, _accounts, authentication, StoredBarrierAsync, time).Map(_routes);
        new UsageRoutes(_usage, _quotas, _accounts, authentication, StoredBarrierAsync, time).Map(_routes);
    }

    private UsageUpkeep CreateUsage(TellOrganization tell, ILoggerFactory loggers)
    {
        var (time, store) = (TimeProvider.System, _stores.Data.Usage);
        var teller = _settings.Usage.Warnings && _settings.Delivery.OperationalEvents
            ? new UsageTeller(_accounts, _quotas, store, tell, time, loggers.CreateLogger<UsageTeller>()) : null;
        // Where there can be no other server, there is nothing to read of others.
        var refreshed = _stores.Changes is null ? null : _quotas;
        return new UsageUpkeep(_accounts, store, refreshed, teller, _directory.JournalId, time, loggers.CreateLogger<UsageUpkeep>());
    }

    private ValueTask<bool> StoredBarrierAsync(Organization organization, CancellationToken cancellationToken) =>
        _shard?.WaitStoredAsync(organization, cancellationToken) ?? ValueTask.FromResult(false);

    /// <summary>Where this server itself listens: webhooks must not be aimed at it.</summary>
    private IReadOnlyCollection<IPEndPoint> BoundEndpoints() =>
        [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.SelectMany(ListenAddress.EndpointsOf) ?? []];

    private static partial class Log
    {
        [LoggerMessage(LogEvents.EventServerStoreWarning, LogLevel.Warning, "{Warning}")]
        public static partial void StoreWarning(ILogger logger, string warning);
    }
}
