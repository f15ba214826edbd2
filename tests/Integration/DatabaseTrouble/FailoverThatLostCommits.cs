using System.Globalization;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// The database goes back to an older state: as a whole, then a restart stores again what the journal holds; or in parts, then
/// <c>replay-journal</c> shows what is missing and stores it. Each event is there once, in order, afterwards.
/// </summary>
[Collection(TroubleCollection.Name)]
public sealed class FailoverThatLostCommits(TroubleCluster cluster)
{
    [Fact]
    public async Task A_start_on_an_older_state_stores_again_what_is_missing()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var server = await ServerUnderTest.StartOnAsync(cluster.ServerTo(database));
        var tenant = await server.NewTenantAsync();
        var ids = await PostAsync(tenant, 0, 40);
        await server.StopAsync();
        await CopyAsync(database, $"{database}_old");
        await server.StartAsync();
        ids.AddRange(await PostAsync(tenant, 40, 60));
        await server.StopAsync();
        await ReplaceAsync(database, $"{database}_old");

        var (code, output) = await RunAsync(server, database);
        Assert.Equal(3, code);
        Assert.Contains("0 before the checkpoint (no start stores them), 60 behind it", output, StringComparison.Ordinal);

        await server.StartAsync();
        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(found => found.Id));
        Assert.Equal(ids[99], (await tenant.PostEventAsync(Body(99))).Duplicate());
    }

    [Fact]
    public async Task A_running_server_says_that_the_database_was_set_back_and_keeps_taking_events()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        var tenant = await scene.Server.NewTenantAsync();
        var ids = await PostAsync(tenant, 0, 20);
        Assert.Equal(20, (await tenant.ReadInboxAsync()).Count);
        await DisconnectAsync(scene);
        await CopyAsync(scene.Database, $"{scene.Database}_old");
        scene.Proxy.PassAll();
        await scene.RecoverAsync();
        ids.AddRange(await PostAsync(tenant, 20, 20));
        await Poll.UntilAsync(async () => (await tenant.GetAsync("/api/inbox?limit=1")).Status == 200, "all is stored");
        await DisconnectAsync(scene);
        await ReplaceAsync(scene.Database, $"{scene.Database}_old");
        scene.Proxy.PassAll();

        ids.AddRange(await PostAsync(tenant, 40, 20));
        await scene.TroubleAsync("The database was set back");
        ids.AddRange(await PostAsync(tenant, 60, 20));
        await scene.Server.StopAsync();
        await scene.Server.StartAsync();

        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(found => found.Id));
    }

    [Fact]
    public async Task Rows_missing_before_the_checkpoint_are_shown_and_stored_once()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var server = await ServerUnderTest.StartOnAsync(cluster.ServerTo(database));
        var tenant = await server.NewTenantAsync();
        var ids = await PostAsync(tenant, 0, 100);
        Assert.Equal(100, (await tenant.ReadInboxAsync()).Count);
        await Assert.ThrowsAsync<JournalException>(() => RunAsync(server, database));
        await server.StopAsync();
        Assert.Equal(0, (await RunAsync(server, database)).Code);
        foreach (var lost in (int[])[0, 17, 18, 99]) await cluster.ExecuteAsync($"DELETE FROM events WHERE id = '{ids[lost]}'", database);

        var (code, shown) = await RunAsync(server, database);
        Assert.Equal(3, code);
        Assert.Contains("4 before the checkpoint (no start stores them), 0 behind it", shown, StringComparison.Ordinal);
        foreach (var lost in (int[])[0, 17, 18, 99]) Assert.Contains(ids[lost], shown, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", shown, StringComparison.Ordinal);
        Assert.Equal(96L, await cluster.ExecuteAsync("SELECT count(*) FROM events", database));

        Assert.Equal(0, (await RunAsync(server, database, "--store")).Code);
        Assert.Equal(0, (await RunAsync(server, database, "--store")).Code);
        await server.StartAsync();
        var inbox = await tenant.ReadInboxAsync();
        Assert.Equal(ids, inbox.Select(found => found.Id));
        Assert.Equal(Enumerable.Range(0, 100).Select(Payload), inbox.Select(found => found.Payload));
    }

    [Theory]
    [InlineData("DELETE FROM shards")]
    [InlineData("UPDATE shards SET stored_through = NULL, stored_sequence = 0")]
    public async Task A_checkpoint_that_is_lost_is_set_behind_what_was_compared(string loss)
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var server = await ServerUnderTest.StartOnAsync(cluster.ServerTo(database));
        var tenant = await server.NewTenantAsync();
        var ids = await PostAsync(tenant, 0, 100);
        Assert.Equal(100, (await tenant.ReadInboxAsync()).Count);
        await server.StopAsync();
        await cluster.ExecuteAsync(loss, database);
        await cluster.ExecuteAsync($"DELETE FROM events WHERE id > '{ids[69]}'", database);

        var (code, output) = await RunAsync(server, database, "--store");

        Assert.Equal(0, code);
        Assert.Contains($"stored 30, set aside in quarantine 0, checkpoint {ids[99]}", output, StringComparison.Ordinal);
        await server.StartAsync();
        ids.AddRange(await PostAsync(tenant, 100, 10));
        Assert.Equal(ids, (await tenant.ReadInboxAsync()).Select(found => found.Id));
        Assert.Equal(0L, await cluster.ExecuteAsync("SELECT count(*) FROM quarantine", database));
    }

    private static async Task<List<string>> PostAsync(Tenant tenant, int first, int count)
    {
        var ids = new List<string>();
        for (var n = first; n < first + count; n++) ids.Add((await tenant.PostEventAsync(Body(n))).Accepted());
        return ids;
    }

    private static string Body(int n) => string.Create(
        CultureInfo.InvariantCulture, $$"""{"type":"a","payload":{{Payload(n)}},"dedup_id":"d-{{n}}"}""");

    private static string Payload(int n) => string.Create(CultureInfo.InvariantCulture, $$"""{"n": {{n}}.0}""");

    private async Task<(int Code, string Output)> RunAsync(ServerUnderTest server, string database, params string[] options)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        string[] settings = [$"--Storage:DataDirectory={server.DataDirectory}", $"--Storage:ConnectionString={cluster.DirectTo(database)}"];
        var code = await ReplayJournalCommand.RunAsync([.. options, .. settings], output, CancellationToken.None);
        return (code, output.ToString());
    }

    /// <summary>Keeps the server away from the database until all pass again.</summary>
    private async Task DisconnectAsync(TroubleScene scene)
    {
        scene.Proxy.RefuseNew();
        scene.Proxy.CutOpen();
        await Poll.UntilAsync(
            async () => await cluster.ExecuteAsync($"SELECT count(*) FROM pg_stat_activity WHERE datname = '{scene.Database}'") is 0L,
            "nobody is connected");
    }

    private Task CopyAsync(string database, string copy) =>
        cluster.ExecuteAsync($"CREATE DATABASE {copy} TEMPLATE {database} OWNER {database}");

    /// <summary>The failover: the older state takes the database's place.</summary>
    private async Task ReplaceAsync(string database, string older)
    {
        await cluster.ExecuteAsync($"ALTER DATABASE {database} RENAME TO {database}_lost");
        await cluster.ExecuteAsync($"ALTER DATABASE {older} RENAME TO {database}");
    }
}
