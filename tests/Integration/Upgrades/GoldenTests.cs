using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Npgsql;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Upgrades;

/// <summary>
/// Data that released versions have left (tests/Integration/Upgrades/Golden, made by its script): this version starts on each and finds
/// all.
/// </summary>
public sealed class GoldenTests
{
    private const string Schema = "golden_schema";
    private const string MakeInto = "ZAP_GOLDEN";

    private static readonly string Golden = FindGolden();

    /// <summary>Every version for which there are files.</summary>
    public static IEnumerable<TheoryDataRow<string>> Versions() =>
        Directory.EnumerateDirectories(Golden).Select(path => new TheoryDataRow<string>(Path.GetFileName(path)));

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_data_directory_of_an_older_version_is_started_on(string version)
    {
        await using var server = await EmptyAsync(StoreKind.Sqlite);
        await UnpackAsync(Path.Combine(Golden, version, "sqlite.tar.gz"), server.DataDirectory);
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(server.DataDirectory, "journal"), "*" + Segment.Extension));

        await server.StartAsync();

        await AssertAllIsThereAsync(server, Read(version, "sqlite.json"));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_postgres_of_an_older_version_is_started_on(string version)
    {
        await using var server = await EmptyAsync(StoreKind.Postgres);
        var schema = new NpgsqlConnectionStringBuilder(server.ConnectionString).SearchPath!;
        await PostgresServer.ExecuteAsync($"DROP SCHEMA {schema} CASCADE");
        await using (var file = File.OpenRead(Path.Combine(Golden, version, "postgres.sql.gz")))
        using (var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress)))
        {
            var sql = PostgresCluster.Runnable(await reader.ReadToEndAsync());
            var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString) { SearchPath = null, Pooling = false };
            await PostgresServer.ExecuteAsync(sql.Replace(Schema, schema, StringComparison.Ordinal), settings.ConnectionString);
        }

        await server.StartAsync();

        await AssertAllIsThereAsync(server, Read(version, "postgres.json"));
    }

    [Theory]
    [InlineData("identity", 8)]
    [InlineData("journal/*.seg", 8)]
    public async Task A_journal_of_a_newer_version_is_refused_with_the_remedy(string pattern, int versionAt)
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        (await (await server.NewTenantAsync()).PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        await server.StopAsync();
        foreach (var path in Directory.EnumerateFiles(
            server.DataDirectory, pattern.Replace(".seg", Segment.Extension, StringComparison.Ordinal)))
        {
            await using var file = File.OpenWrite(path);
            file.Position = versionAt;
            file.WriteByte(99);
        }

        var refused = await Assert.ThrowsAsync<JournalException>(() => server.StartAsync());
        Assert.Contains("newer version", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Start that version", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task A_schema_of_a_newer_version_is_refused_with_the_remedy(StoreKind store)
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        await server.StopAsync();
        await FullStore.SqlAsync(server, "UPDATE schema_versions SET version = 9999 WHERE version = 1");

        var refused = await Assert.ThrowsAsync<StoreException>(() => server.StartAsync());
        Assert.Contains("start the newer server again, or restore a backup", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Not a test: makes the files of this version, when the script asks for it.</summary>
    [Theory(Explicit = true)]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Make(StoreKind store)
    {
        var into = Environment.GetEnvironmentVariable(MakeInto) ?? throw new InvalidOperationException($"Set {MakeInto} to a folder.");
        using var cluster = PostgresCluster.Start();
        var database = new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { SearchPath = Schema }.ConnectionString;
        await PostgresServer.ExecuteAsync($"CREATE SCHEMA {Schema}", cluster.ConnectionString);
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(store);
        if (store == StoreKind.Postgres) await server.MoveAsync(database);
        var made = await FullStore.MakeAsync(server, receiver);
        await server.StopAsync();
        Directory.CreateDirectory(into);
        var name = store.ToString().ToLowerInvariant();
        await File.WriteAllTextAsync(Path.Combine(into, $"{name}.json"), JsonSerializer.Serialize(made));
        if (store == StoreKind.Sqlite) await PackAsync(server.DataDirectory, Path.Combine(into, "sqlite.tar.gz"));
        else await PackTextAsync(cluster.Dump(Schema), Path.Combine(into, "postgres.sql.gz"));
    }

    private static async Task AssertAllIsThereAsync(ServerUnderTest server, FullStore store)
    {
        var tenant = new Tenant(server, store.OrganizationId, store.Key);
        Assert.Equal(store.Ids, (await tenant.ReadInboxAsync()).Select(one => one.Id).Take(store.Ids.Count));
        var answers = await store.AskAsync(server);
        Assert.Contains(store.Dead, answers["/api/dead-letters"], StringComparison.Ordinal);
        Assert.Contains(store.Waiting, answers["/api/endpoints"], StringComparison.Ordinal);
        Assert.Contains("\"balanced\":true", answers["/api/ledger"], StringComparison.Ordinal);
        Assert.Contains("\"set_aside\":1", answers["/api/ledger"], StringComparison.Ordinal);
        Assert.Contains("endpoint.create", answers["/api/audit"], StringComparison.Ordinal);
        var next = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        // behind what is told of the webhook that has used up its tries
        Assert.Contains(next, (await tenant.ReadInboxAsync()).Select(one => one.Id));
    }

    /// <summary>A stopped server on nothing; what it finds was made long ago, so nothing may expire.</summary>
    private static async Task<ServerUnderTest> EmptyAsync(StoreKind store)
    {
        var server = await ServerUnderTest.StartAsync(store, "Retention:ProDays=0");
        await server.StopAsync();
        foreach (var path in Directory.EnumerateFiles(server.DataDirectory, "*", SearchOption.AllDirectories)) File.Delete(path);
        return server;
    }

    private static FullStore Read(string version, string file) =>
        JsonSerializer.Deserialize<FullStore>(File.ReadAllText(Path.Combine(Golden, version, file)))!;

    private static async Task UnpackAsync(string archive, string folder)
    {
        await using var file = File.OpenRead(archive);
        await using var plain = new GZipStream(file, CompressionMode.Decompress);
        await TarFile.ExtractToDirectoryAsync(plain, folder, overwriteFiles: true);
    }

    private static async Task PackAsync(string folder, string archive)
    {
        await using var file = File.Create(archive);
        await using var packed = new GZipStream(file, CompressionLevel.SmallestSize);
        await TarFile.CreateFromDirectoryAsync(folder, packed, includeBaseDirectory: false);
    }

    private static async Task PackTextAsync(string text, string archive)
    {
        await using var file = File.Create(archive);
        await using var packed = new GZipStream(file, CompressionLevel.SmallestSize);
        await packed.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text));
    }

    private static string FindGolden()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var golden = Path.Combine(folder.FullName, "tests/Integration/Upgrades/Golden");
            if (Directory.Exists(golden)) return golden;
        }

        throw new InvalidOperationException("The folder tests/Integration/Upgrades/Golden is missing.");
    }
}
