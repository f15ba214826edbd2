using System.Globalization;
using Npgsql;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Upgrades;

/// <summary>A backup of SQLite, made while the server runs, and its restore.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zap-backup-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Restored_into_a_new_directory_it_is_the_state_of_the_backup()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var store = await FullStore.MakeAsync(server, receiver);
        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "admin-token"), "kept");
        var before = await store.AskAsync(server);

        var output = Backup(server.DataDirectory, "one");
        (await PostAsync(server, store, "later")).Accepted();
        Assert.Contains($"{store.Ids.Count} events", output, StringComparison.Ordinal);
        Assert.Throws<StartupException>(() => Backup(server.DataDirectory, "one"));
        await server.StopAsync();

        await using var restored = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        await restored.StopAsync();
        Directory.Delete(restored.DataDirectory, recursive: true);
        Directory.CreateDirectory(restored.DataDirectory);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_folder.FullName, "one")))
            File.Copy(file, Path.Combine(restored.DataDirectory, Path.GetFileName(file)));
        await restored.StartAsync();

        await store.AssertSameAsync(before, restored);
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(restored.DataDirectory, "admin-token")));
        Assert.Equal(
            store.Once,
            (await new Tenant(restored, store.OrganizationId, store.Key).PostEventAsync(FullStore.BodyOf("ü", 5, "once"))).Duplicate());
        var next = (await PostAsync(restored, store, "next")).Accepted();
        Assert.Equal(
            [.. store.Ids, next], (await new Tenant(restored, store.OrganizationId, store.Key).ReadInboxAsync()).Select(one => one.Id));
    }

    [Fact]
    public async Task Restored_into_its_directory_the_journal_brings_what_came_later_once()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        var ids = new List<string>();
        for (var n = 0; n < 50; n++)
        {
            ids.Add((await tenant.PostEventAsync($$"""{"type":"a","payload":{},"dedup_id":"{{n}}"}""")).Accepted());
            if (n == 19) Backup(server.DataDirectory, "one");
        }

        await server.StopAsync();
        foreach (var file in Directory.EnumerateFiles(server.DataDirectory, "events.db*")) File.Delete(file);
        File.Copy(Path.Combine(_folder.FullName, "one", "events.db"), Path.Combine(server.DataDirectory, "events.db"));
        await server.StartAsync();

        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(one => one.Id));
        Assert.Equal(ids[49], (await tenant.PostEventAsync("""{"type":"a","payload":{},"dedup_id":"49"}""")).Duplicate());
    }

    [Fact]
    public async Task A_dump_of_postgres_restored_beside_its_data_directory_gets_what_came_later_once()
    {
        using var cluster = PostgresCluster.Start();
        var database = new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { SearchPath = "backed_up" }.ConnectionString;
        await PostgresServer.ExecuteAsync("CREATE SCHEMA backed_up", cluster.ConnectionString);
        await using var server = await ServerUnderTest.StartOnAsync(database);
        var tenant = await server.NewTenantAsync();
        var ids = new List<string>();
        var dump = "";
        for (var n = 0; n < 50; n++)
        {
            ids.Add((await tenant.PostEventAsync($$"""{"type":"a","payload":{},"dedup_id":"{{n}}"}""")).Accepted());
            if (n == 19) dump = cluster.Dump("backed_up");
        }

        await server.StopAsync();
        await PostgresServer.ExecuteAsync("DROP SCHEMA backed_up CASCADE", cluster.ConnectionString);
        await PostgresServer.ExecuteAsync(PostgresCluster.Runnable(dump), cluster.ConnectionString + ";Pooling=False");
        await server.StartAsync();

        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(one => one.Id));
        Assert.Equal(ids[49], (await tenant.PostEventAsync("""{"type":"a","payload":{},"dedup_id":"49"}""")).Duplicate());
        Assert.True((bool)(await tenant.GetAsync("/api/ledger")).Json["balanced"]!);
    }

    [Fact]
    public async Task A_backup_without_a_place_or_of_postgres_says_what_to_do()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        string[] where = [$"--Storage:DataDirectory={server.DataDirectory}"];

        Assert.Contains(
            "--to", Assert.Throws<StartupException>(() => BackupCommand.Run(where, TextWriter.Null)).Message, StringComparison.Ordinal);
        string[] postgres = [.. where, "--to", _folder.FullName, "--Storage:ConnectionString=postgres://u:s3cret@h/d"];
        var refused = Assert.Throws<StartupException>(() => BackupCommand.Run(postgres, TextWriter.Null));
        Assert.Contains("pg_dump", refused.Message, StringComparison.Ordinal);
    }

    private static Task<Reply> PostAsync(ServerUnderTest server, FullStore store, string dedupId) =>
        new Tenant(server, store.OrganizationId, store.Key).PostEventAsync($$"""{"type":"a","payload":{},"dedup_id":"{{dedupId}}"}""");

    private string Backup(string dataDirectory, string name)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        string[] args = [$"--Storage:DataDirectory={dataDirectory}", "--to", Path.Combine(_folder.FullName, name)];
        Assert.Equal(0, BackupCommand.Run(args, output));
        return output.ToString();
    }
}
