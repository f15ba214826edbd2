using System.Diagnostics;
using System.Globalization;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// Connections that stay open and say nothing more: every call ends by its time limit, what was left behind is ended by the database or
/// waited for, and storing goes on by itself.
/// </summary>
[Collection(TroubleCollection.Name)]
public sealed class FrozenDatabase(TroubleCluster cluster)
{
    private const string NoAnswer = "did not answer in time";

    [Fact]
    public async Task A_connection_frozen_in_its_transaction_is_left_and_the_database_ends_it()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        // The reply to the checkpoint's UPDATE never comes: the transaction holds the checkpoint's row, and nobody will end it for us.
        FreezeOnce(scene.Proxy, message => message.IsComplete("UPDATE 1") && message.Place >= 0);

        await LoggedAsync(scene, NoAnswer);
        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        await scene.AuditAsync(mostLogLines: 30);
    }

    [Fact]
    public async Task A_connection_frozen_in_the_middle_of_COPY_is_waited_for_until_the_network_gives_it_up()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);
        FreezeOnce(scene.Proxy, message => message is { FromClient: true, Kind: 'c' });

        await LoggedAsync(scene, NoAnswer);
        await scene.TroubleAsync("locked by another session");
        scene.Proxy.CutOpen(); // as the system does when the peer does not answer its probes

        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        await scene.AuditAsync(mostLogLines: 40);
    }

    [Fact]
    public async Task Stopped_backends_are_left_and_storing_goes_on()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        await scene.SendMoreAsync(100);
        var pids = (int[])(await scene.ExecuteAsync($"SELECT array_agg(pid) FROM pg_stat_activity WHERE usename = '{scene.Database}'"))!;
        Signal("STOP", pids);
        try
        {
            await LoggedAsync(scene, NoAnswer);
        }
        finally
        {
            Signal("CONT", pids);
        }

        await scene.RecoverAsync();
        await scene.SendMoreAsync(100);
        await scene.AuditAsync(mostLogLines: 40);
    }

    private static Task LoggedAsync(TroubleScene scene, string text) => Poll.UntilAsync(
        () => scene.Server.Logs.Lines
            .Where(line => line.Contains("cannot be stored", StringComparison.Ordinal))
            .Any(line => line.Contains(text, StringComparison.Ordinal)),
        $"the log says: {text}");

    private static void FreezeOnce(PostgresProxy proxy, Func<PostgresMessage, bool> at)
    {
        var frozen = 0;
        proxy.Apply(message => at(message) && Interlocked.Exchange(ref frozen, 1) == 0 ? ProxyAction.Freeze : ProxyAction.Pass);
    }

    private static void Signal(string name, int[] pids)
    {
        using var kill = Process.Start("kill", [$"-{name}", .. pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture))]);
        kill.WaitForExit();
    }
}
