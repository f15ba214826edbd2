using System.Diagnostics;
using System.Globalization;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// A server with a store, an organization, load from many connections that notes every request and answer, and a receiver that logs every
/// webhook. Whatever happens to the server meanwhile, <see cref="AuditAsync"/> holds what was answered against what is there.
/// </summary>
internal sealed class Scene : IAsyncDisposable
{
    private const int Connections = 64;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan DeliveryLimit = TimeSpan.FromMinutes(3);

    private readonly SceneSettings _settings;
    private readonly DirectoryInfo _folder;
    private readonly string? _schema;
    private readonly Receiver _receiver;
    private readonly RequestNumbers _numbers = new();
    private readonly CancellationTokenSource _loadEnds = new();
    private long _loadStart;
    private Task _load = Task.CompletedTask;

    private Scene(SceneSettings settings, DirectoryInfo folder, string? schema, ServerProcess server, Tenant tenant, Receiver receiver)
    {
        (_settings, _folder, _schema, Server, Setup, Tenant, _receiver) = (
            settings, folder, schema, server, server.Setup, tenant, receiver);
        var seed = settings.Seed;
        Source = new EventSource(
            EventTemplates.Generate(settings.PayloadBytes, seed), new DedupMode(HasIds: true, DuplicateShare: 0.05), seed, $"{seed:x8}");
    }

    /// <summary>The server that runs now, or ran last.</summary>
    public ServerProcess Server { get; private set; }

    /// <summary>How it is started.</summary>
    public ServerSetup Setup { get; }

    /// <summary>The organization whose events the load sends.</summary>
    public Tenant Tenant { get; }

    /// <summary>The events that the load sends.</summary>
    public EventSource Source { get; }

    /// <summary>What was sent and answered.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>The schema's connection string; null with SQLite.</summary>
    public string? Database => _schema;

    /// <summary>What the receiver has got.</summary>
    public IReadOnlyList<Delivery> Deliveries => _receiver.Log.ToList();

    /// <summary>Requests sent so far.</summary>
    public long Sent => _numbers.Given;

    /// <summary>Starts a server on an empty store.</summary>
    public static Task<Scene> CreateAsync(StoreKind store, string ackWhen, int seed) =>
        CreateAsync(new SceneSettings { Store = store, AckWhen = ackWhen, Seed = seed });

    /// <summary>The same with more to say.</summary>
    public static async Task<Scene> CreateAsync(SceneSettings settings)
    {
        var folder = Directory.CreateTempSubdirectory("zap-crash-");
        var schema = settings.Store == StoreKind.Postgres ? await PostgresServer.CreateSchemaAsync("crash") : null;
        var setup = new ServerSetup { DataDirectory = Path.Combine(settings.Folder ?? folder.FullName, "data"), RunBy = settings.RunBy }.With("Ingest__AckWhen", settings.AckWhen);
        if (schema is not null) setup = setup.With("DATABASE_URL", settings.ConnectionString(schema));
        foreach (var (name, value) in settings.Settings) setup = setup.With(name, value);
        var server = await ServerProcess.StartReadyAsync(setup);
        var tenant = await Tenant.CreateAsync(setup.Address);
        var receiver = await Receiver.StartAsync(settings.Receiver);
        receiver.Secret = await tenant.SetWebhookAsync(receiver.Url);
        return new Scene(settings, folder, schema, server, tenant, receiver);
    }

    /// <summary>When <see cref="NoteCut"/> was called, from the start of the load.</summary>
    public TimeSpan CutAt { get; private set; }

    /// <summary>Notes the time on the clock of the ledger.</summary>
    public void NoteCut() => CutAt = Stopwatch.GetElapsedTime(_loadStart);

    /// <summary>Begins to send; goes on over every death of the server.</summary>
    public void StartLoad()
    {
        var settings = new LoadSettings { Server = Setup.Address, ApiKey = Tenant.Key, Source = Source, Connections = Connections };
        _loadStart = Stopwatch.GetTimestamp();
        _load = RunLoadAsync(settings);
    }

    /// <summary>Returns when so many more requests have been sent.</summary>
    public Task SendMoreAsync(int count)
    {
        var target = Sent + count;
        return Poll.UntilAsync(
            () => Sent >= target, TimeSpan.FromMinutes(2), $"request {target} to be sent\n{Server.Output}\n{Server.Errors}");
    }

    /// <summary>Starts the server again without waiting for it.</summary>
    public Task RestartAsync() => RestartAsync(Setup);

    /// <summary>Starts the server again, otherwise than before, without waiting for it.</summary>
    public async Task RestartAsync(ServerSetup setup)
    {
        await Server.DisposeAsync();
        Server = ServerProcess.Start(setup);
    }

    /// <summary>Starts the server again and returns when it is ready.</summary>
    public async Task RestartReadyAsync()
    {
        await Server.DisposeAsync();
        Server = await ServerProcess.StartReadyAsync(Setup);
    }

    /// <summary>Ends the load; what is under way stays unanswered.</summary>
    public async Task EndLoadAsync()
    {
        await _loadEnds.CancelAsync();
        await _load;
    }

    /// <summary>
    /// Holds every answer against the inbox and the receiver's log. The server must have been started anew since the load ended, so that
    /// nothing that was under way can still come.
    /// </summary>
    public async Task<AuditReport> AuditAsync(AuditSettings? settings = null)
    {
        var stored = await ReadInbox().CountAsync();

        try
        {
            if (settings?.AllMustBeDelivered != false) await _receiver.Log.WaitForAsync(stored).WaitAsync(DeliveryLimit);
        }
        catch (TimeoutException)
        {
            // The audit counts those that never came, and holds the rest all the same.
        }

        return await Audit.RunAsync(Source, Ledger, ReadInbox(), _receiver.Log.ToList(), settings);
    }

    /// <summary>Ends the load, starts the server anew, and fails the test unless the audit passes. Returns what it counted.</summary>
    public async Task<AuditReport> AuditAfterRestartAsync(string note = "", AuditSettings? settings = null)
    {
        await EndLoadAsync();
        await Server.KillAsync();
        await VerifyAsync();
        await RestartReadyAsync();
        var report = await AuditAsync(settings);
        Assert.True(report.Passed, $"seed {_settings.Seed} {note}\n{string.Join('\n', report.Lines())}\n{Server.Output}");
        return report;
    }

    /// <summary>Holds journal, store, ledger and usage of the dead server against each other, as <c>verify</c> does.</summary>
    public async Task VerifyAsync()
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        string[] settings = [$"--Storage:DataDirectory={Setup.DataDirectory}", $"--Storage:ConnectionString={Setup.Settings.GetValueOrDefault("DATABASE_URL")}"];
        var code = await VerifyCommand.RunAsync(settings, output, CancellationToken.None);
        Assert.True(code == 0 && !output.ToString().Contains("usage of", StringComparison.Ordinal), $"seed {_settings.Seed}\n{output}");
    }

    /// <summary>All events stored for the load's organization, in order.</summary>
    public IAsyncEnumerable<StoredEvent> ReadInbox() => new InboxReader(Tenant.Client).ReadAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndLoadAsync();
        await Server.DisposeAsync();
        await _receiver.DisposeAsync();
        Tenant.Dispose();
        _loadEnds.Dispose();
        if (_schema is not null) await PostgresServer.DropSchemaAsync(_schema);
        _folder.Delete(recursive: true);
    }

    private async Task RunLoadAsync(LoadSettings settings)
    {
        using var run = new LoadRun(settings, _ => SendPlan.Constant(_settings.EventsPerSecond, Longest), _numbers, Ledger);
        await run.RunAsync(_loadEnds.Token);
    }
}
