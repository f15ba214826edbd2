using Npgsql;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// The database answers, but refuses: read-only, password, connections, a missing table, locks, a deadlock. Each is named by ready while it
/// lasts and ends by itself when it is mended; nothing is lost or set aside.
/// </summary>
[Collection(TroubleCollection.Name)]
public sealed class RefusingDatabase(TroubleCluster cluster)
{
    [Theory]
    [InlineData("ALTER ROLE {0} SET default_transaction_read_only = on", "ALTER ROLE {0} RESET ALL", "is read-only")]
    [InlineData("ALTER ROLE {0} PASSWORD 'other'", "ALTER ROLE {0} PASSWORD 'right'", "refuses the user or password")]
    [InlineData("ALTER ROLE {0} CONNECTION LIMIT 0", "ALTER ROLE {0} CONNECTION LIMIT -1", "has no free connection")]
    public async Task New_connections_meet_a_refusal(string begin, string end, string cause)
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        // As at a failover: the old connections break, the new ones meet another server. When it ends no connection is cut.
        await scene.ExecuteAsync(Of(scene, begin));
        scene.Proxy.CutOpen();
        await scene.TroubleAsync(cause);
        await scene.SendMoreAsync(200);
        await scene.ExecuteAsync(Of(scene, end));

        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        await scene.AuditAsync(mostLogLines: 40);
    }

    [Theory]
    [InlineData("events")]
    [InlineData("shards")]
    public async Task A_missing_table_is_waited_for(string table)
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        await scene.ExecuteAsync($"ALTER TABLE {table} RENAME TO elsewhere");
        await scene.TroubleAsync("A table is missing");
        await scene.SendMoreAsync(200);
        await scene.ExecuteAsync($"ALTER TABLE elsewhere RENAME TO {table}");

        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        await scene.AuditAsync(mostLogLines: 40);
    }

    [Fact]
    public async Task A_locked_table_is_waited_for()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        await using (var other = await OpenAsync(scene))
        {
            await RunAsync(other, "BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE");
            await scene.TroubleAsync("is locked by another session");
            await scene.SendMoreAsync(200);
            await RunAsync(other, "ROLLBACK");
        }

        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        await scene.AuditAsync(mostLogLines: 40);
    }

    [Fact]
    public async Task The_victim_of_a_deadlock_tries_again()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        await using (var other = await OpenAsync(scene))
        {
            // The writer holds the checkpoint's row and waits for the table; we hold the table and wait for the row. It finds out first.
            await RunAsync(other, "SET deadlock_timeout = '60s'; BEGIN; LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE");
            await Poll.UntilAsync(
                async () => await scene.ExecuteAsync("SELECT 1 FROM pg_locks WHERE relation = 'events'::regclass AND NOT granted") is 1,
                "the writer waits for the table");
            await RunAsync(other, "UPDATE shards SET updated_at = now(); COMMIT");
        }

        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        Assert.Contains(scene.Server.Logs.Lines, line => line.Contains("40P01", StringComparison.Ordinal));
        await scene.AuditAsync(mostLogLines: 40);
    }

    private static string Of(TroubleScene scene, string statement) => statement.Replace("{0}", scene.Database, StringComparison.Ordinal);

    private async Task<NpgsqlConnection> OpenAsync(TroubleScene scene)
    {
        var connection = new NpgsqlConnection(cluster.DirectTo(scene.Database));
        await connection.OpenAsync();
        return connection;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
