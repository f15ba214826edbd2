using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Npgsql;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Verdict;
using ZapierTriggers.Tests.Integration.Infrastructure;
using Poll = ZapierTriggers.Tests.Integration.Webhooks.Poll;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// The whole server on a database behind a proxy, load that notes every request and answer, and a receiver that logs every webhook.
/// Whatever happened to the database meanwhile, <see cref="AuditAsync"/> reads the table itself and holds it against what was answered.
/// </summary>
internal sealed class TroubleScene : IAsyncDisposable
{
    private const int Connections = 8;
    private const int Seed = 20_260_301;

    // Of the driver, in the scene: short, so that what hangs is given up soon.
    private const int CommandTimeout = 4;

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan DeliveryLimit = TimeSpan.FromMinutes(2);

    private readonly EventSource _source;
    private readonly RequestNumbers _numbers = new();
    private readonly Ledger _ledger = new();
    private readonly CancellationTokenSource _loadEnds = new();
    private readonly Load.Core.Receiving.Receiver _receiver;
    private readonly Tenant _tenant;
    private readonly int _perSecond;
    private Task _load = Task.CompletedTask;

    private TroubleScene(
        TroubleCluster cluster,
        string database,
        PostgresProxy proxy,
        ServerUnderTest server,
        Tenant tenant,
        Load.Core.Receiving.Receiver receiver,
        int payloadBytes)
    {
        (Cluster, Database, Proxy, Server, _tenant, _receiver) = (cluster, database, proxy, server, tenant, receiver);
        _perSecond = payloadBytes > 10_000 ? 200 : 400;
        var dedup = new DedupMode(HasIds: true, DuplicateShare: 0.05);
        _source = new EventSource(EventTemplates.Generate(payloadBytes, Seed), dedup, Seed, "troubles");
    }

    /// <summary>The PostgreSQL server.</summary>
    public TroubleCluster Cluster { get; }

    /// <summary>The scene's database; its owner, as whom the server logs in, has the same name.</summary>
    public string Database { get; }

    /// <summary>Between server and database.</summary>
    public PostgresProxy Proxy { get; }

    /// <summary>The server.</summary>
    public ServerUnderTest Server { get; }

    /// <summary>Requests sent so far.</summary>
    public long Sent => _numbers.Given;

    /// <summary>The organization that the events are of.</summary>
    public Tenant Tenant => _tenant;

    /// <summary>Starts everything but the load.</summary>
    public static async Task<TroubleScene> StartAsync(TroubleCluster cluster, int payloadBytes = 400, params string[] settings)
    {
        var database = await cluster.CreateDatabaseAsync();
        var proxy = PostgresProxy.Start(cluster.Cluster.Port);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = proxy.Port,
            Username = database,
            Password = "right",
            Database = database,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
            CommandTimeout = CommandTimeout,
            Timeout = CommandTimeout,
            MaxPoolSize = 10,
        };
        var server = await ServerUnderTest.StartOnAsync(connection.ConnectionString, ["Log:Level=warn", .. settings]);
        var tenant = await server.NewTenantAsync();
        var receiver = await Load.Core.Receiving.Receiver.StartAsync();
        receiver.Secret = await tenant.SetWebhookAsync(new Uri(receiver.Url, "/hook").ToString());
        return new TroubleScene(cluster, database, proxy, server, tenant, receiver, payloadBytes);
    }

    /// <summary>Begins to send.</summary>
    public void StartLoad()
    {
        var settings = new LoadSettings { Server = Server.Address, ApiKey = _tenant.Key, Source = _source, Connections = Connections };
        _load = RunAsync();

        async Task RunAsync()
        {
            using var run = new LoadRun(settings, _ => SendPlan.Constant(_perSecond, Longest), _numbers, _ledger);
            await run.RunAsync(_loadEnds.Token);
        }
    }

    /// <summary>Returns when so many more requests have been sent.</summary>
    public Task SendMoreAsync(int count)
    {
        var target = Sent + count;
        return Poll.UntilAsync(() => Sent >= target, $"{count} more requests are sent");
    }

    /// <summary>Runs a statement in the database as a superuser, past the proxy; returns the first value.</summary>
    public Task<object?> ExecuteAsync(string sql) => Cluster.ExecuteAsync(sql, Database);

    /// <summary>Returns when ready is 503 and one of its reasons contains this.</summary>
    public Task TroubleAsync(string cause) => Poll.UntilAsync(
        async () =>
        {
            var (status, body) = await ReadyAsync();
            return status == 503 && body.Contains(cause, StringComparison.Ordinal);
        },
        $"not ready: {cause}\n{string.Join('\n', Server.Logs.Lines)}");

    /// <summary>Returns when ready is 200.</summary>
    public Task RecoverAsync() => Poll.UntilAsync(async () => (await ReadyAsync()).Status == 200, "ready again");

    /// <summary>
    /// Ends the load, waits until everything is stored and delivered, and holds the table against the answers. The log must have at most
    /// <paramref name="mostLogLines"/> lines by then.
    /// </summary>
    public async Task AuditAsync(int mostLogLines, AuditSettings? settings = null)
    {
        await _loadEnds.CancelAsync();
        await _load;
        await RecoverAsync();
        await Poll.UntilAsync(async () => (await _tenant.GetAsync("/api/inbox?limit=1")).Status == 200, "all is stored");
        var stored = (long)(await ExecuteAsync("SELECT count(*) FROM events"))!;
        try
        {
            await _receiver.Log.WaitForAsync(stored).WaitAsync(DeliveryLimit);
        }
        catch (TimeoutException)
        {
            // The audit counts those that never came, and holds the rest all the same.
        }

        var report = await Audit.RunAsync(_source, _ledger, ReadTableAsync(), _receiver.Log.ToList(), settings);
        var lines = Server.Logs.Lines;
        Assert.True(report.Passed && report.Accepted > 0, string.Join('\n', [.. report.Lines(), .. lines]));
        Assert.True(lines.Count <= mostLogLines, $"{lines.Count} log lines:\n{string.Join('\n', lines)}");
        TestContext.Current.SendDiagnosticMessage(
            $"{report.Accepted} accepted, {report.Refused} refused, {report.Stored} stored, {lines.Count} log lines");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _loadEnds.CancelAsync();
        await _load;
        Proxy.PassAll();
        await Server.DisposeAsync();
        await _receiver.DisposeAsync();
        await Proxy.DisposeAsync();
        _loadEnds.Dispose();
        // A test that failed while the database was away has its own failure to show, not this one.
        Cluster.Cluster.Begin();
        await Cluster.ExecuteAsync($"DROP DATABASE {Database} WITH (FORCE)");
    }

    private async Task<(int Status, string Body)> ReadyAsync()
    {
        using var answer = await Server.Client.GetAsync("/health/ready");
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return ((int)answer.StatusCode, $"{body["reasons"]}");
    }

    private async IAsyncEnumerable<Load.Core.Verdict.StoredEvent> ReadTableAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var source = NpgsqlDataSource.Create(Cluster.DirectTo(Database));
        await using var command = source.CreateCommand("SELECT id, payload, dedup_id FROM events ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var dedupId = await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2);
            yield return new(EventId.FromGuid(reader.GetGuid(0)), reader.GetFieldValue<byte[]>(1), dedupId);
        }
    }
}
