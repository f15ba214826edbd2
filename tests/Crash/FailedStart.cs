using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ZapierTriggers.Tests.Crash.Infrastructure;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>A start that cannot succeed ends with one clear line on standard error, a non-zero exit code and no stack trace.</summary>
public sealed class FailedStart : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zap-start-");

    [Fact]
    public async Task A_second_server_on_the_same_data_directory_names_the_holder()
    {
        await using var first = await ServerProcess.StartReadyAsync(Setup());

        var line = await FailAsync(Setup(), exitCode: 1);

        Assert.Contains(first.Setup.DataDirectory, line, StringComparison.Ordinal);
        Assert.Contains(first.Id.ToString(CultureInfo.InvariantCulture), line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;

        var line = await FailAsync(Setup() with { Port = port }, exitCode: 1);

        Assert.Contains($":{port}", line, StringComparison.Ordinal);
        Assert.Contains("PORT", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_written_is_named()
    {
        // A file in the way stops every user, root too.
        var file = Path.Combine(_folder.FullName, "file");
        await File.WriteAllTextAsync(file, "");

        var line = await FailAsync(new ServerSetup { DataDirectory = Path.Combine(file, "data") }, exitCode: 1);

        Assert.Contains(Path.Combine(file, "data"), line, StringComparison.Ordinal);
        Assert.Contains("Storage:DataDirectory", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_string_that_cannot_be_read_is_told_without_its_secret()
    {
        var line = await FailAsync(Setup().With("DATABASE_URL", "postgres://zap:hunter2@127.0.0.1/zap?nonsense=1"), exitCode: 1);

        Assert.Contains("DATABASE_URL", line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_that_a_newer_program_has_made_is_told()
    {
        var database = await PostgresServer.CreateSchemaAsync("newer");
        await PostgresServer.ExecuteAsync(
            "CREATE TABLE schema_versions (version integer PRIMARY KEY, name text NOT NULL); INSERT INTO schema_versions VALUES (9999, 'x')", database);

        var line = await FailAsync(Setup().With("DATABASE_URL", database), exitCode: 1);

        Assert.Contains("version 9999", line, StringComparison.Ordinal);
        await PostgresServer.DropSchemaAsync(database);
    }

    [Fact]
    public async Task An_unknown_setting_is_told_with_the_one_that_was_meant()
    {
        var line = await FailAsync(Setup().With("Ingest__AckWen", "synced"), exitCode: 2);

        Assert.Contains("did you mean Ingest:AckWhen?", line, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ServerSetup Setup() => new() { DataDirectory = Path.Combine(_folder.FullName, "data") };

    private static async Task<string> FailAsync(ServerSetup setup, int exitCode)
    {
        await using var server = ServerProcess.Start(setup);
        var code = await server.WaitForExitAsync(Limit);
        var lines = server.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1, $"one line was expected on standard error:\n{server.Errors}\n{server.Output}");
        Assert.Equal(exitCode, code);
        Assert.StartsWith("Cannot start: ", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Output, StringComparison.Ordinal);
        return lines[0];
    }
}
