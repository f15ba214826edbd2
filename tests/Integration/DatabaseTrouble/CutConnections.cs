using System.Collections.Concurrent;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// The connection is cut at each message of the store writer's transaction, in both directions, before and after the message, COMMIT and
/// its reply among them: every event is stored once and delivered.
/// </summary>
[Collection(TroubleCollection.Name)]
public sealed class CutConnections(TroubleCluster cluster)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<(PostgresMessage Message, ProxyAction Action)> _cuts = new();

    [Fact]
    public async Task At_each_message_of_the_writers_transaction()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        scene.StartLoad();
        for (var round = 0; round < Rounds.Count; round++)
        {
            foreach (var action in (ProxyAction[])[ProxyAction.CutBefore, ProxyAction.CutAfter])
            {
                await CutAtEachAsync(scene.Proxy, fromClient: true, action);
                await CutAtEachAsync(scene.Proxy, fromClient: false, action);
            }
        }

        scene.Proxy.PassAll();
        Assert.Contains(_cuts, cut => cut.Message.IsQuery("COMMIT") && cut.Action == ProxyAction.CutBefore);
        Assert.Contains(_cuts, cut => cut.Message.IsQuery("COMMIT") && cut.Action == ProxyAction.CutAfter);
        Assert.Contains(_cuts, cut => cut.Message.IsComplete("COMMIT") && cut.Action == ProxyAction.CutBefore);
        Assert.Contains(_cuts, cut => cut.Message.IsComplete("COPY"));
        foreach (var kind in "QPBESdc") Assert.Contains(_cuts, cut => cut.Message.FromClient && cut.Message.Kind == kind);
        foreach (var kind in "CZ12G") Assert.Contains(_cuts, cut => !cut.Message.FromClient && cut.Message.Kind == kind);

        // One for each cut, and some for those who happened to use the connection.
        await scene.AuditAsync(mostLogLines: (2 * _cuts.Count) + 20);
    }

    private async Task CutAtEachAsync(PostgresProxy proxy, bool fromClient, ProxyAction action)
    {
        var place = 0;
        while (await CutAsync(proxy, fromClient, place, action))
        {
            // The next cut comes after a success, so that the writer begins with its shortest pause again.
            await CommittedAsync(proxy);
            place++;
        }
    }

    private static Task CommittedAsync(PostgresProxy proxy)
    {
        var committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        proxy.Apply(message =>
        {
            if (message.Place >= 0 && message.IsComplete("COMMIT")) committed.TrySetResult();
            return ProxyAction.Pass;
        });
        return committed.Task.WaitAsync(Limit);
    }

    /// <summary>Cuts in the next transaction that has a message at this place; false when the next one ends without.</summary>
    private async Task<bool> CutAsync(PostgresProxy proxy, bool fromClient, int place, ProxyAction action)
    {
        var met = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = false;
        proxy.Apply(message =>
        {
            begun |= message.IsQuery("BEGIN");
            if (!begun || message.Place < 0) return ProxyAction.Pass;
            if (message.FromClient == fromClient && message.Place == place && met.TrySetResult(true))
            {
                _cuts.Enqueue((message, action));
                return action;
            }

            if (message.IsIdle) met.TrySetResult(false);
            return ProxyAction.Pass;
        });
        return await met.Task.WaitAsync(Limit);
    }
}
