using System.Net;
using System.Security.Cryptography;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// Two servers on one database. The later one gets the shard, the other one says so and takes nothing more; what it had answered is stored
/// when it is started again. A copy of a data directory that the original has gone ahead of does not start, and neither does an original
/// that its copy has gone ahead of: the one events of the other would be passed over in silence.
/// </summary>
public sealed class TwoServers
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task With_databases_of_their_own_they_do_not_know_each_other(StoreKind store)
    {
        await using var one = await Scene.CreateAsync(store, "journaled", RandomNumberGenerator.GetInt32(int.MaxValue));
        await using var two = await Scene.CreateAsync(store, "journaled", RandomNumberGenerator.GetInt32(int.MaxValue));
        one.StartLoad();
        two.StartLoad();
        await Task.WhenAll(one.SendMoreAsync(500), two.SendMoreAsync(500));
        await one.AuditAfterRestartAsync();
        await two.AuditAfterRestartAsync();
    }

    [Fact]
    public async Task The_later_one_takes_the_shard_over_and_the_other_says_so()
    {
        await using var scene = await CreateAsync();
        scene.StartLoad();
        await scene.SendMoreAsync(500);
        var sent = 1;
        var other = Directory.CreateTempSubdirectory("zap-other-");
        await using (var second = await ServerProcess.StartReadyAsync(Beside(scene, other.FullName)))
        {
            sent += await IsFencedAsync(scene);
            Assert.Equal(HttpStatusCode.Accepted, await SendAsync(second, scene));
            await AllIsStoredAsync(second, scene);
        }

        await scene.EndLoadAsync();
        await scene.Server.KillAsync();
        await scene.RestartReadyAsync();

        // More than the ledger knows: the second server's one, and what the first took before it refused.
        // Webhooks, too: the lanes that the second server moved are set back to the first one's late events.
        var report = await scene.AuditAsync(new() { AllMustBeDelivered = true });
        var unknown = report.Counts.GetValueOrDefault(Load.Core.Verdict.Violation.NeverSent);
        Assert.True(
            report.Counts.Count == 1 && unknown == sent, $"{sent} were sent beside the ledger\n{string.Join('\n', report.Lines())}");
        other.Delete(recursive: true);
    }

    [Fact]
    public async Task A_copy_that_the_original_has_gone_ahead_of_does_not_start()
    {
        await using var scene = await CreateAsync();
        scene.StartLoad();
        await scene.SendMoreAsync(500);
        await scene.Server.KillAsync();
        using var copy = new DirectoryCopy(scene.Setup.DataDirectory);
        await scene.RestartReadyAsync();
        await scene.SendMoreAsync(500);
        await AllIsStoredAsync(scene.Server, scene);

        var line = await FailAsync(Beside(scene, copy.Path));
        Assert.Contains("copy of this directory", line, StringComparison.Ordinal);
        Assert.Contains(copy.Path, line, StringComparison.Ordinal);
        await scene.AuditAfterRestartAsync();
    }

    [Fact]
    public async Task An_original_that_its_copy_has_gone_ahead_of_says_so()
    {
        await using var scene = await CreateAsync();
        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(scene.Server, scene));
        await AllIsStoredAsync(scene.Server, scene);
        using var copy = new DirectoryCopy(scene.Setup.DataDirectory);
        await using (var second = await ServerProcess.StartReadyAsync(Beside(scene, copy.Path)))
        {
            // Answered by the one that has lost the shard: in its journal, where it stays.
            Assert.Equal(HttpStatusCode.Accepted, await SendAsync(scene.Server, scene));
            await IsFencedAsync(scene);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await SendAsync(scene.Server, scene));
            Assert.Equal(HttpStatusCode.Accepted, await SendAsync(second, scene));
            await AllIsStoredAsync(second, scene);
        }

        await scene.Server.KillAsync();
        var line = await FailAsync(scene.Setup);
        Assert.Contains("copy of this directory", line, StringComparison.Ordinal);
        var file = line[(line.LastIndexOf(' ') + 1)..].TrimEnd('.');
        await File.WriteAllTextAsync(file, "");
        await scene.RestartReadyAsync();
        Assert.Equal(2, await scene.ReadInbox().CountAsync());
    }

    private static Task<Scene> CreateAsync() => Scene.CreateAsync(new SceneSettings
    {
        Store = StoreKind.Postgres,
        AckWhen = "journaled",
        Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
        EventsPerSecond = 1_000,
    });

    private static ServerSetup Beside(Scene scene, string directory) =>
        new() { DataDirectory = directory, Settings = scene.Setup.Settings };

    /// <summary>Waits until it says so and refuses events; how many it still took, for its journal.</summary>
    private static async Task<int> IsFencedAsync(Scene scene)
    {
        var (said, accepted) = ("", 0);
        await Poll.UntilAsync(
            async () => (said = await scene.Server.ReadyTextAsync()).Contains("Another server has taken over", StringComparison.Ordinal),
            Limit,
            () => $"the first server to say so: {said}");
        Assert.Contains("\"not_ready\"", said, StringComparison.Ordinal);
        await Poll.UntilAsync(
            async () =>
            {
                var answer = await SendAsync(scene.Server, scene);
                if (answer == HttpStatusCode.Accepted) accepted++;
                return answer == HttpStatusCode.ServiceUnavailable;
            },
            Limit,
            () => "the first server to refuse events");
        return accepted;
    }

    /// <summary>A page of the inbox is answered when all that was accepted is stored.</summary>
    private static async Task AllIsStoredAsync(ServerProcess server, Scene scene) =>
        await Poll.UntilAsync(
            async () =>
            {
                using var answer = await scene.Tenant.Client.GetAsync(new Uri(server.Setup.Address, "/api/inbox?limit=1"));
                return answer.StatusCode == HttpStatusCode.OK;
            },
            Limit,
            () => "all to be stored");

    private static Task<HttpStatusCode> SendAsync(ServerProcess server, Scene scene) => scene.Tenant.SendAsync(server);

    private static async Task<string> FailAsync(ServerSetup setup)
    {
        await using var server = ServerProcess.Start(setup);
        Assert.Equal(1, await server.WaitForExitAsync(Limit));
        return server.Errors.Trim();
    }
}
