using Microsoft.Data.Sqlite;
using ZapierTriggers.Server;

namespace ZapierTriggers.Bench.Operations;

/// <summary>
/// The real server in this process on temporary files, its connections in memory, with an organization without a rate limit. Its store is
/// held: what it accepts stays in the journal, up to 4 GiB of it.
/// </summary>
internal sealed class HeldServer
{
    private const string AdminToken = "bench-admin-token-0123456789";

    private readonly MemoryTransport _transport = new();
    private SqliteConnection? _hold;
    private long _number;

    private HeldServer()
    {
    }

    /// <summary>The organization's key.</summary>
    public string Key { get; private set; } = "";

    /// <summary>Starts it; it lives as long as the process.</summary>
    public static HeldServer Start()
    {
        var server = new HeldServer();
        server.StartAsync().GetAwaiter().GetResult();
        return server;
    }

    /// <summary>A new connection.</summary>
    public MemoryClient Connect() => new(_transport.Connect());

    /// <summary>A number that was not given before.</summary>
    public long NextNumber() => Interlocked.Increment(ref _number);

    private void End(string directory)
    {
        _transport.CloseAll();
        _hold?.Dispose();
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // The journal has just made another file: left to the system's temporary directory.
        }
    }

    private async Task StartAsync()
    {
        var directory = Directory.CreateTempSubdirectory("bench-server").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(directory); // Before the host's own, since it comes first.
        string[] settings =
        [
            $"--Storage:DataDirectory={directory}", $"--ADMIN_TOKEN={AdminToken}", "--PORT=18080", "--HOST=127.0.0.1", "--LOG_LEVEL=error",
            "--DISABLE_WEBHOOK_DELIVERY=true",
        ];
        var server = await EventServer.StartAsync(settings, TextWriter.Null, connections: _transport);
        await server.Ready;
        var client = Connect();
        var made = client.Call("POST", "/api/keys/generate", AdminToken, """{"organization_name":"Bench","tier":"enterprise"}""");
        Key = made.GetProperty("api_key").GetString()!;
        var organization = made.GetProperty("organization_id").GetString();
        client.Call("PATCH", $"/api/admin/organizations/{organization}", AdminToken, """{"rate_limit_per_minute":null}""");
        _hold = new SqliteConnection($"Data Source={Path.Combine(directory, "events.db")};Pooling=False");
        await _hold.OpenAsync();
        await using var command = _hold.CreateCommand();
        command.CommandText = "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE";
        await command.ExecuteNonQueryAsync();
    }
}
