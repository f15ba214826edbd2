using System.Globalization;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Server.Storage.Moving;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Upgrades;

/// <summary>A data directory that has worked with SQLite goes on with Postgres, and every answer stays the same.</summary>
public sealed class MoveToPostgresTests : IAsyncLifetime
{
    private string _target = "";

    public async ValueTask InitializeAsync() => _target = await PostgresServer.CreateSchemaAsync("moved");

    public async ValueTask DisposeAsync() => await PostgresServer.DropSchemaAsync(_target);

    [Fact]
    public async Task Everything_is_there_and_goes_on()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var store = await FullStore.MakeAsync(server, receiver);
        var tenant = new Tenant(server, store.OrganizationId, store.Key);
        var before = await store.AskAsync(server);
        var cursor = (string)(await tenant.GetAsync("/api/inbox?order=asc&limit=3")).Json["next_cursor"]!;
        await Assert.ThrowsAsync<JournalException>(() => RunAsync(server));
        await server.StopAsync();
        await AssertFullAsync(server);

        var (code, output) = await RunAsync(server);
        Assert.True(code == 0, output);
        Assert.Contains("DATABASE_URL", output, StringComparison.Ordinal);
        Assert.DoesNotContain("DIFFERENT", output, StringComparison.Ordinal);

        var sent = receiver.Requests.Count;
        await server.StartAsync($"Storage:ConnectionString={_target}");
        await store.AssertSameAsync(before, server);
        Assert.Equal(
            store.Ids.Skip(3).Take(3),
            InboxEvent.ReadPage((await tenant.GetAsync($"/api/inbox?order=asc&limit=3&cursor={cursor}")).Bytes).Select(one => one.Id));
        Assert.Equal(store.Once, (await tenant.PostEventAsync(FullStore.BodyOf("ü", 5, "once"))).Duplicate());
        Assert.Equal(409, (await tenant.PostEventAsync(FullStore.BodyOf("a", 9, "erased"))).Status);
        Assert.Equal(sent, receiver.Requests.Count);

        Assert.Equal(200, (await tenant.PatchAsync($"/api/endpoints/{store.Waiting}", """{"enabled":true}""")).Status);
        await Poll.UntilAsync(
            () => receiver.Requests.Any(one => one.Path.EndsWith("/waiting", StringComparison.Ordinal)), "what waited goes out");
        var next = (await PostAsync(tenant, "a", "next")).Accepted();
        await Poll.UntilAsync(() => receiver.CountOf(next) == 1, "the next event goes out");
        Assert.Equal([.. store.Ids, next], (await tenant.ReadInboxAsync()).Select(one => one.Id));
        await server.StopAsync();
        Assert.Contains(
            "is not empty", (await Assert.ThrowsAsync<StoreException>(() => RunAsync(server))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_only_the_journal_has_is_stored_first()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        var first = (await PostAsync(tenant, "a", "1")).Accepted();
        await server.StopAsync();
        var file = Path.Combine(server.DataDirectory, "events.db");
        File.Copy(file, file + ".old");
        await server.StartAsync();
        string[] later = [(await PostAsync(tenant, "a", "2")).Accepted(), (await PostAsync(tenant, "a", "3")).Accepted()];
        await server.StopAsync();
        File.Move(file + ".old", file, overwrite: true);

        var (code, output) = await RunAsync(server);

        Assert.True(code == 0, output);
        Assert.Contains("2 events stored in SQLite first", output, StringComparison.Ordinal);
        await server.StartAsync($"Storage:ConnectionString={_target}");
        Assert.Equal([first, .. later], (await tenant.ReadInboxAsync()).Select(one => one.Id));
        Assert.Equal(later[1], (await PostAsync(tenant, "a", "3")).Duplicate());
    }

    [Fact]
    public async Task An_interrupted_move_keeps_servers_away_and_goes_on()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        var ids = new List<string>();
        for (var n = 0; n < 20; n++) ids.Add((await PostAsync(tenant, n % 7 == 3 ? "zero" : "a", $"{n}")).Accepted());
        await server.StopAsync();
        await FullStore.SqlAsync(server, "UPDATE events SET type = type || char(0) WHERE type = 'zero'");
        Assert.Equal(0, (await RunAsync(server)).Code);
        await PostgresServer.ExecuteAsync(
            $"""
            DELETE FROM events WHERE id > '{ids[8]}'; DELETE FROM shards;
            INSERT INTO schema_versions (version, name) VALUES (2000000000, 'a move that has not ended')
            """,
            _target);

        Assert.Contains("--continue", (await Assert.ThrowsAsync<StoreException>(() => server.StartAsync($"Storage:ConnectionString={_target}"))).Message, StringComparison.Ordinal);
        await server.StopAsync();
        Assert.Contains("--continue", (await Assert.ThrowsAsync<StoreException>(() => RunAsync(server))).Message, StringComparison.Ordinal);
        var (code, output) = await RunAsync(server, "--continue");

        Assert.True(code == 0, output);
        Assert.Equal(3L, await PostgresServer.ExecuteAsync("SELECT count(*) FROM quarantine", _target));
        await server.StartAsync($"Storage:ConnectionString={_target}");
        Assert.Equal(ids.Where((_, n) => n % 7 != 3), (await tenant.ReadInboxAsync()).Select(one => one.Id));
        Assert.True((bool)(await tenant.GetAsync("/api/ledger")).Json["balanced"]!);
    }

    [Fact]
    public async Task A_difference_is_told_and_keeps_servers_away()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        for (var n = 0; n < 5; n++) (await PostAsync(tenant, "a", $"{n}")).Accepted();
        await server.StopAsync();
        Assert.Equal(0, (await RunAsync(server)).Code);
        await PostgresServer.ExecuteAsync(
            "UPDATE events SET payload = 'x' WHERE dedup_id = '2'; INSERT INTO schema_versions (version, name) VALUES (2000000000, 'm')",
            _target);

        var (code, output) = await RunAsync(server, "--continue");

        Assert.Equal(3, code);
        Assert.Single(
            output.Split('\n'),
            line => line.Contains("DIFFERENT", StringComparison.Ordinal) && line.StartsWith("events ", StringComparison.Ordinal));
        await Assert.ThrowsAsync<StoreException>(() => server.StartAsync($"Storage:ConnectionString={_target}"));
    }

    [Fact]
    public async Task A_data_directory_or_a_target_that_is_not_there_is_told()
    {
        await using var server = await ServerUnderTest.StartOnAsync(_target);
        await server.StopAsync();

        var none = await Assert.ThrowsAsync<StartupException>(() => RunAsync(server));
        Assert.Contains("has not worked with SQLite", none.Message, StringComparison.Ordinal);
        string[] nowhere = [$"--Storage:DataDirectory={server.DataDirectory}"];
        var noTarget = await Assert.ThrowsAsync<StartupException>(
            () => MoveToPostgresCommand.RunAsync(nowhere, TextWriter.Null, CancellationToken.None));
        Assert.Contains("--to", noTarget.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// A table added later must get a row in <see cref="FullStore"/>, or a reason in the list of those that are not moved.
    /// </summary>
    private static async Task AssertFullAsync(ServerUnderTest server)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(server.DataDirectory, "events.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        var names = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        }

        Assert.True(names.Count > 15);
        foreach (var name in names.Where(name => !StoreMove.NotMoved.ContainsKey(name)))
            Assert.True(Convert.ToInt64(await FullStore.SqlAsync(server, $"SELECT count(*) FROM {name}"), null) > 0, $"{name} has no row");
    }

    private static Task<Reply> PostAsync(Tenant tenant, string type, string dedupId) =>
        tenant.PostEventAsync($$"""{"type":"{{type}}","payload":{"n":1},"dedup_id":"{{dedupId}}"}""");

    private async Task<(int Code, string Output)> RunAsync(ServerUnderTest server, params string[] more)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        string[] args = [$"--Storage:DataDirectory={server.DataDirectory}", "--to", _target, .. more];
        return (await MoveToPostgresCommand.RunAsync(args, output, CancellationToken.None), output.ToString());
    }
}
