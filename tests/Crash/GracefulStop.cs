using System.Security.Cryptography;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>SIGTERM ends the server in order, under full load, and loses nothing.</summary>
public sealed class GracefulStop
{
    private const int Requests = 3_000;

    [Theory]
    [InlineData(StoreKind.Sqlite, "journaled")]
    [InlineData(StoreKind.Postgres, "stored")]
    public async Task It_ends_with_exit_code_0_and_nothing_is_lost(StoreKind store, string ackWhen)
    {
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        await using var scene = await Scene.CreateAsync(store, ackWhen, seed);
        scene.StartLoad();
        await scene.SendMoreAsync(Requests);

        var exitCode = await scene.Server.TerminateAsync();
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{scene.Server.Output}\n{scene.Server.Errors}");

        await scene.EndLoadAsync();
        await scene.RestartReadyAsync();
        var report = await scene.AuditAsync();
        Assert.True(report.Passed, $"seed {seed}\n{string.Join('\n', report.Lines())}\n{scene.Server.Output}");
    }

    [Fact]
    public async Task A_kill_during_it_loses_nothing()
    {
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        await using var scene = await Scene.CreateAsync(StoreKind.Sqlite, "journaled", seed);
        scene.StartLoad();
        await scene.SendMoreAsync(Requests);

        var ending = scene.Server.TerminateAsync();
        await Poll.SomeTicksAsync(new Random(seed).Next(10));
        await scene.Server.KillAsync();
        await ending;

        await scene.EndLoadAsync();
        await scene.RestartReadyAsync();
        var report = await scene.AuditAsync();
        Assert.True(report.Passed, $"seed {seed}\n{string.Join('\n', report.Lines())}\n{scene.Server.Output}");
    }
}
