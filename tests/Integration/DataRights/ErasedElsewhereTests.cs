using Npgsql;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

/// <summary>
/// Two servers on one Postgres. One erases events that the other has in its lanes, behind a try that hangs: none of them is sent any more,
/// whether the database can notify the other or not; nor does that one's journal hold them.
/// </summary>
public sealed class ErasedElsewhereTests
{
    private const int Count = 20;

    /// <summary>The tries hang while a server starts.</summary>
    private const string Timeout = "Delivery:Timeout=5min";

    private static readonly string Forgotten = string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{LogEvents.ErasureWatchForgotten}:");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_holds_them_sends_none_of_them(bool listenIsCut)
    {
        using var cluster = PostgresCluster.Start();
        await using var proxy = PostgresProxy.Start(cluster.Port);
        if (listenIsCut)
            proxy.Apply(message => message.FromClient && message.Text.Contains("LISTEN", StringComparison.Ordinal) ? ProxyAction.CutBefore : ProxyAction.Pass);
        await using var one = await ServerUnderTest.StartOnAsync(cluster, Timeout);
        await using var receiver = await Receiver.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = (_, _) => release.Task;
        var tenant = await one.NewTenantAsync();
        await tenant.SetWebhookAsync(receiver.Url);
        var gone = new List<string>();
        for (var n = 0; n < Count; n++) gone.Add(await tenant.SendEventAsync("""{"who":"erased-person"}"""));
        await Poll.UntilAsync(() => receiver.CountOf(gone[0]) == 1, "the first try hangs");

        // The later one has the shard; its lane begins at the cursor, and reads on while its first try hangs.
        await using var other = await ServerUnderTest.StartOnAsync(Behind(proxy, cluster), "Log:Level=Information", Timeout);
        var there = new Tenant(other, tenant.OrganizationId, tenant.Key);
        await Poll.UntilAsync(() => receiver.CountOf(gone[0]) == 2, "the other's first try hangs");
        var mine = await there.SendEventAsync("""{"who":"erased-person"}""");
        Assert.NotEmpty(await there.ReadInboxAsync());
        Assert.True(other.JournalHolds("erased-person"));

        var reply = await tenant.EraseToTheEndAsync(
            $$"""{"event_ids":[{{string.Join(',', gone.Append(mine).Select(id => $"\"{id}\""))}}]}""");
        Assert.Equal(Count + 1, (int)reply.Json["erased"]!);
        await Poll.UntilAsync(() => other.Logs.Lines.Any(line => line.Contains(Forgotten, StringComparison.Ordinal)), "the other is told");
        release.SetResult();
        receiver.Answer = static (_, _) => Task.CompletedTask;
        var last = await there.SendEventAsync("""{"who":"kept-person"}""");

        await Poll.UntilAsync(() => receiver.CountOf(last) > 0, "what comes after them");
        Assert.Equal(2, receiver.CountOf(gone[0]));
        Assert.All([.. gone.Skip(1), mine], id => Assert.Equal(0, receiver.CountOf(id)));
        await Poll.UntilAsync(() => !other.JournalHolds("erased-person"), "the other's journal is rid of them");
        Assert.True(other.JournalHolds("kept-person"));
    }

    private static string Behind(PostgresProxy proxy, PostgresCluster cluster) =>
        new NpgsqlConnectionStringBuilder(cluster.ConnectionString)
        {
            Port = proxy.Port,
            SslMode = SslMode.Disable, // the proxy reads what passes, from the first message on
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
}
