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

                // Transactions differ in length: the place of the last messages may have been passed by.
                await CutAsync(scene.Proxy, static message => message.IsQuery("COMMIT"), action);
                await CommittedAsync(scene.Proxy);
                await CutAsync(scene.Proxy, static message => message.IsComplete("COMMIT"), action);
                await CommittedAsync(scene.Proxy);
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
        while (await CutAsync(
            proxy, message => message.FromClient == fromClient && message.Place == place, action, anyBegin: fromClient && place == 0))
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
            if (message.Transaction is { IsStoreWriters: true } && message.IsComplete("COMMIT")) committed.TrySetResult();
            return ProxyAction.Pass;
        });
        return committed.Task.WaitAsync(Limit);
    }

    /// <summary>
    /// Cuts in the next of the writer's transactions that has such a message; false when one is committed without. Whose one is begun does
    /// not show at its first message: that may be anybody's.
    /// </summary>
    private async Task<bool> CutAsync(PostgresProxy proxy, Func<PostgresMessage, bool> where, ProxyAction action, bool anyBegin = false)
    {
        var met = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new ConcurrentDictionary<PostgresTransaction, bool>();
        proxy.Apply(message =>
        {
            if (message.Transaction is not { } transaction) return ProxyAction.Pass;
            if (message is { FromClient: true, Place: 0 }) begun.TryAdd(transaction, true);
            if (!begun.ContainsKey(transaction) || !(transaction.IsStoreWriters || anyBegin)) return ProxyAction.Pass;
            if (where(message) && met.TrySetResult(true))
            {
                _cuts.Enqueue((message, action));
                return action;
            }

            if (message.IsIdle && transaction.IsCommitted) met.TrySetResult(false);
            return ProxyAction.Pass;
        });
        return await met.Task.WaitAsync(Limit);
    }
}
