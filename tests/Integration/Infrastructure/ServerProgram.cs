using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>The built program as a process of its own, with its log and its memory in view; on a data directory of its own.</summary>
internal sealed class ServerProgram : ITestServer, IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly ServerProcess _process;
    private readonly string? _connectionString;

    private ServerProgram(DirectoryInfo folder, ServerProcess process, string? connectionString)
    {
        (_folder, _process, _connectionString) = (folder, process, connectionString);
        var handler = new SocketsHttpHandler { UseProxy = false, RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 };
        Client = new HttpClient(new ContractHandler(handler)) { BaseAddress = Address };
    }

    /// <inheritdoc/>
    public Uri Address => _process.Setup.Address;

    /// <inheritdoc/>
    public HttpClient Client { get; }

    /// <inheritdoc/>
    public string AdminToken => ServerSetup.AdminToken;

    /// <summary>Everything it has written so far.</summary>
    public string Output => _process.Output + _process.Errors;

    /// <summary>A password that the server is given for a database that asks for none.</summary>
    public const string DatabasePassword = "database-password-of-the-tests";

    /// <summary>The files it keeps.</summary>
    public IEnumerable<string> Files => Directory.EnumerateFiles(_process.Setup.DataDirectory, "*", SearchOption.AllDirectories);

    /// <summary>
    /// Fails when a log line of Warning or above, or anything on standard error, was written. Kestrel's own remark that this machine is too
    /// busy for its timer (22) says nothing about the server.
    /// </summary>
    public void AssertHasNotComplained()
    {
        var complaints = _process.Output.Split('\n').Where(line => line.StartsWith('{') && IsComplaint(JsonNode.Parse(line)!))
            .Concat(_process.Errors.Split('\n').Where(line => line.Length > 0)).ToList();
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }

    /// <summary>
    /// Resident memory of its own now, bytes: without the mapped files, of which the journal's ring becomes resident as it is used.
    /// </summary>
    public long ResidentBytes => 1024 * long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Starts one that logs everything, with settings such as <c>Ingest__AckWhen</c>, and returns when it is ready.</summary>
    public static async Task<ServerProgram> StartAsync(StoreKind store, params (string Name, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("zap-program-");
        var connectionString = store == StoreKind.Postgres ? await PostgresServer.CreateSchemaAsync("program") : null;
        var given = connectionString?.Contains("Password", StringComparison.OrdinalIgnoreCase) == false
            ? $"{connectionString};Password={DatabasePassword}" : connectionString;
        var setup = new ServerSetup { DataDirectory = Path.Combine(folder.FullName, "data") }
            .With("Log__Level", "Trace").With("Log__Format", "Json").With("Storage__ConnectionString", given ?? "")
            .With("Registration__Open", "true").With("Registration__PerAddressPerMinute", "1000000");
        foreach (var (name, value) in settings) setup = setup.With(name, value);
        return new ServerProgram(folder, await ServerProcess.StartReadyAsync(setup), connectionString);
    }

    /// <summary>Ends it as a service manager does, so that all of its output is there.</summary>
    public async Task StopAsync() => Assert.Equal(0, await _process.TerminateAsync());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
        if (_connectionString is not null) await PostgresServer.DropSchemaAsync(_connectionString);
    }

    private static bool IsComplaint(JsonNode line) =>
        (string?)line["LogLevel"] is "Warning" or "Error" or "Critical"
        && !((int?)line["EventId"] == 22 && ((string?)line["Category"])!.StartsWith("Microsoft.AspNetCore.Server.Kestrel",
            StringComparison.Ordinal));
}
