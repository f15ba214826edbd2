using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// A server with a store, an organization, load from many connections that notes every request and answer, and a receiver that logs every
/// webhook. Whatever happens to the server meanwhile, <see cref="AuditAsync"/> holds what was answered against what is there.
/// </summary>
internal sealed class Scene : IAsyncDisposable
{
    private const int Connections = 64;
    private const int EventsPerSecond = 4_000;
    private const int PayloadBytes = 400;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan DeliveryLimit = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _folder;
    private readonly StoreKind _store;
    private readonly string? _database;
    private readonly Tenant _tenant;
    private readonly Receiver _receiver;
    private readonly EventSource _source;
    private readonly RequestNumbers _numbers = new();
    private readonly Ledger _ledger = new();
    private readonly CancellationTokenSource _loadEnds = new();
    private Task _load = Task.CompletedTask;

    private Scene(DirectoryInfo folder, StoreKind store, string? database, ServerProcess server, Tenant tenant, Receiver receiver, int seed)
    {
        (_folder, _store, _database, Server, _tenant, _receiver) = (folder, store, database, server, tenant, receiver);
        _source = new EventSource(EventTemplates.Generate(PayloadBytes, seed), new DedupMode(HasIds: true, DuplicateShare: 0.05), seed, $"{seed:x8}");
    }

    /// <summary>The server that runs now, or ran last.</summary>
    public ServerProcess Server { get; private set; }

    /// <summary>Requests sent so far.</summary>
    public long Sent => _numbers.Given;

    /// <summary>Starts a server on an empty store.</summary>
    public static async Task<Scene> CreateAsync(StoreKind store, string ackWhen, int seed)
    {
        var folder = Directory.CreateTempSubdirectory("zap-crash-");
        var database = store == StoreKind.Postgres ? await ZapierTriggers.Tests.Integration.Infrastructure.PostgresServer.CreateSchemaAsync("crash") : null;
        var setup = new ServerSetup { DataDirectory = Path.Combine(folder.FullName, "data") }.With("Ingest__AckWhen", ackWhen);
        if (database is not null) setup = setup.With("DATABASE_URL", database);
        var server = await ServerProcess.StartReadyAsync(setup);
        var tenant = await Tenant.CreateAsync(setup.Address);
        var receiver = await Receiver.StartAsync();
        receiver.Secret = await tenant.SetWebhookAsync(receiver.Url);
        return new Scene(folder, store, database, server, tenant, receiver, seed);
    }

    /// <summary>Begins to send; goes on over every death of the server.</summary>
    public void StartLoad()
    {
        var settings = new LoadSettings { Server = Server.Setup.Address, ApiKey = _tenant.Key, Source = _source, Connections = Connections };
        _load = RunLoadAsync(settings);
    }

    /// <summary>Returns when so many more requests have been sent.</summary>
    public Task SendMoreAsync(int count)
    {
        var target = Sent + count;
        return Poll.UntilAsync(() => Sent >= target, TimeSpan.FromMinutes(2), $"request {target} to be sent\n{Server.Output}\n{Server.Errors}");
    }

    /// <summary>Starts the server again without waiting for it.</summary>
    public async Task RestartAsync()
    {
        var setup = Server.Setup;
        await Server.DisposeAsync();
        Server = ServerProcess.Start(setup);
    }

    /// <summary>Starts the server again and returns when it is ready.</summary>
    public async Task RestartReadyAsync()
    {
        var setup = Server.Setup;
        await Server.DisposeAsync();
        Server = await ServerProcess.StartReadyAsync(setup);
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
    public async Task<AuditReport> AuditAsync()
    {
        var inbox = new InboxReader(_tenant.Client);
        var stored = await inbox.ReadAsync().CountAsync();

        try
        {
            await _receiver.Log.WaitForAsync(stored).WaitAsync(DeliveryLimit);
        }
        catch (TimeoutException)
        {
            // The audit counts those that never came, and holds the rest all the same.
        }

        return await Audit.RunAsync(_source, _ledger, inbox.ReadAsync(), _receiver.Log.ToList());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndLoadAsync();
        await Server.DisposeAsync();
        await _receiver.DisposeAsync();
        _tenant.Dispose();
        _loadEnds.Dispose();
        if (_store == StoreKind.Postgres) await ZapierTriggers.Tests.Integration.Infrastructure.PostgresServer.DropSchemaAsync(_database!);
        _folder.Delete(recursive: true);
    }

    private async Task RunLoadAsync(LoadSettings settings)
    {
        using var run = new LoadRun(settings, _ => SendPlan.Constant(EventsPerSecond, Longest), _numbers, _ledger);
        await run.RunAsync(_loadEnds.Token);
    }
}

/// <summary>Where the server keeps its events.</summary>
public enum StoreKind
{
    /// <summary>Embedded, in the data directory.</summary>
    Sqlite,

    /// <summary>A PostgreSQL schema of the test's own.</summary>
    Postgres,
}
