using System.Net;
using System.Text;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Server;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>Which database the server under test keeps its events in.</summary>
public enum StoreKind
{
    Sqlite,
    Postgres,
}

/// <summary>
/// The whole server in this process, on a free loopback port, with a data directory (and in Postgres a schema) of its own. It can be
/// stopped and started again on the same data.
/// </summary>
internal sealed class ServerUnderTest : ITestServer, IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("zap-server-").FullName;
    private readonly string? _connectionString;
    private string? _movedTo;
    private readonly string[] _settings;
    private EventServer? _server;

    private ServerUnderTest(string? connectionString, string[] settings) => (_connectionString, _settings) = (connectionString, settings);

    /// <summary>Where it listens; another port after each start.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Where it listens for the operator, when a setting says so.</summary>
    public Uri AdminAddress => new(_server!.AdminAddresses.Single());

    /// <summary>Its data directory.</summary>
    public string DataDirectory => _directory;

    /// <summary>Its schema's connection string; null on SQLite.</summary>
    public string? ConnectionString => _movedTo ?? _connectionString;

    /// <summary>What it has logged, of what its <c>Log:Level</c> lets through (errors, unless a setting says otherwise).</summary>
    public LogRecorder Logs { get; } = new();

    /// <summary>A client of its own connections, for the present address.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <inheritdoc/>
    public string AdminToken => "admin-token-of-the-tests";

    /// <summary>How it resolves the names of webhooks; the system's way at first. May be changed at any time.</summary>
    public ResolveHost Resolve { get; set; } = Dns.GetHostAddressesAsync;

    /// <summary>Every route of the server: method and template.</summary>
    internal ZapierTriggers.Server.Inbox.InboxMarkAdvancer InboxMarks => _server!.InboxMarks;

    public IReadOnlyList<(string Method, string Template)> Routes => _server!.Routes;

    /// <summary>The same with who may call each.</summary>
    public IReadOnlyList<(string Method, string Template, ZapierTriggers.Server.Http.RouteAccess Access)> DeclaredRoutes =>
        _server!.DeclaredRoutes;

    /// <summary>Starts one, with settings such as <c>Ingest:AckWhen=synced</c>.</summary>
    public static async Task<ServerUnderTest> StartAsync(StoreKind store, params string[] settings)
    {
        var connectionString = store == StoreKind.Postgres ? await PostgresServer.CreateSchemaAsync("server") : null;
        var server = new ServerUnderTest(connectionString, settings);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts one on a given Postgres database.</summary>
    public static Task<ServerUnderTest> StartOnAsync(PostgresCluster cluster, params string[] settings) =>
        StartOnAsync(cluster.ConnectionString, settings);

    /// <summary>Starts one on the database of a connection string, which stays when the server goes.</summary>
    public static async Task<ServerUnderTest> StartOnAsync(string connectionString, params string[] settings)
    {
        var server = new ServerUnderTest(connectionString: null, [$"Storage:ConnectionString={connectionString}", .. settings]);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it on the data that it has; these settings come on top of those of its making.</summary>
    public async Task StartAsync(params string[] more)
    {
        // Small files: many servers run side by side here.
        string[] settings =
        [
            $"Storage:DataDirectory={_directory}", $"Storage:ConnectionString={ConnectionString}", "Http:Host=127.0.0.1", "Http:Port=0",
            "Registration:Open=true", "Registration:PerAddressPerMinute=1000000", $"Admin:Token={AdminToken}", "Log:Level=Error",
            "Delivery:AllowPrivateNetworks=true", "Journal:RingBytes=4194304", "Journal:SegmentBytes=4194304",
            "Usage:Warnings=false", .. _settings, .. more,
        ];
        _server = await EventServer.StartAsync(
            [.. settings.Select(setting => "--" + setting)], TextWriter.Null, (host, cancel) => Resolve(host, cancel));
        _server.Loggers.AddProvider(Logs);
        await _server.Ready;
        Address = new Uri(_server.Addresses.Single());
        var handler = new SocketsHttpHandler { UseProxy = false, RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 };
        Client = new HttpClient(new ContractHandler(handler)) { BaseAddress = Address };
    }

    /// <summary>Starts it again on another Postgres database, empty or its own moved one, which stays when the server goes.</summary>
    public async Task MoveAsync(string connectionString)
    {
        await StopAsync();
        _movedTo = connectionString;
        await StartAsync();
    }

    /// <summary>Stops it as SIGTERM does: answers, flushes and stores what it has.</summary>
    public async Task StopAsync()
    {
        if (_server is null) return;
        Client.Dispose();
        await _server.DisposeAsync();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
        if (_connectionString is not null) await PostgresServer.DropSchemaAsync(_connectionString);
    }
}
