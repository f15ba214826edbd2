using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// The database crashes and comes back again and again, or stays away for long: what was answered is stored once and delivered, and the
/// journal's bound holds with its hysteresis. In a server of its own: after a crash PostgreSQL flushes the files of all its databases.
/// </summary>
public sealed class DatabaseRestarts(TroubleCluster cluster) : IClassFixture<TroubleCluster>
{
    private const int RestartsPerRound = 4;

    [Fact]
    public async Task Crashes_under_load()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        for (var restart = 0; restart < RestartsPerRound * Rounds.Count; restart++)
        {
            await scene.SendMoreAsync(100);
            cluster.Cluster.Stop("immediate");
            await scene.SendMoreAsync(100);
            await scene.TroubleAsync("cannot be reached");
            cluster.Cluster.Begin();
            await scene.RecoverAsync();
        }

        await scene.AuditAsync(mostLogLines: 40 * RestartsPerRound * Rounds.Count);
    }

    [Fact]
    public async Task Away_until_the_journal_is_full_and_half_empty_again()
    {
        await using var scene = await TroubleScene.StartAsync(cluster, payloadBytes: 30_000, "Journal:MaxBytes=8388608");
        scene.StartLoad();
        await scene.SendMoreAsync(50);
        cluster.Cluster.Stop("immediate");
        await scene.TroubleAsync("The journal is full");
        Refused(await scene.Tenant.PostEventAsync("""{"type":"a","payload":{}}"""));

        // Away for minutes in the long form.
        for (var round = 1; round < Rounds.Count; round++)
        {
            for (var part = 0; part < 8; part++) await scene.SendMoreAsync(2000);
        }

        // One batch gets through: less than the bound is waiting now, but not half of it.
        var committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Proxy.Apply(message =>
        {
            if (message.Transaction is not { IsStoreWriters: true } || !message.IsComplete("COMMIT")) return ProxyAction.Pass;
            scene.Proxy.RefuseNew();
            committed.TrySetResult();
            return ProxyAction.CutAfter;
        });
        cluster.Cluster.Begin();
        await committed.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await scene.SendMoreAsync(50);
        Refused(await scene.Tenant.PostEventAsync("""{"type":"a","payload":{}}"""));

        scene.Proxy.PassAll();
        await scene.RecoverAsync();
        await scene.SendMoreAsync(50);
        await scene.AuditAsync(mostLogLines: 40);
    }

    private static void Refused(Reply reply) => reply.Problem(503, "queue_full", "Event queue is full", "retry_after_seconds");
}
