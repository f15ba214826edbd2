using System.Globalization;
using System.Security.Cryptography;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// The server is killed with SIGKILL at random moments, under load, while starting, while replaying, again and again. Afterwards: every
/// answered event is in the inbox exactly once and in order, every 409 names an event that exists, nothing is there that was not sent, and
/// each event reached the receiver.
/// </summary>
public sealed class KillNine
{
    private const int Cases = 4;
    private const int FewestRequests = 50;
    private const int MostRequests = 5_000;

    // The start takes some 500 ms: a kill after so many ticks of 5 ms falls anywhere in it, or shortly after.
    private const int StartTicks = 150;

    // Over all cases.
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("ZAP_CRASH_KILLS") ?? "20", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(StoreKind.Sqlite, "journaled")]
    [InlineData(StoreKind.Sqlite, "synced")]
    [InlineData(StoreKind.Postgres, "journaled")]
    [InlineData(StoreKind.Postgres, "synced")]
    public async Task Nothing_answered_is_lost_or_doubled(StoreKind store, string ackWhen)
    {
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        var random = new Random(seed);
        await using var scene = await Scene.CreateAsync(store, ackWhen, seed);
        scene.StartLoad();

        for (var kills = Math.Max(2, Kills / Cases); kills > 0; kills--)
        {
            if (kills % 3 == 0)
            {
                await scene.Server.KillAsync();
                await scene.RestartAsync();
                await Poll.SomeTicksAsync(random.Next(StartTicks));
            }
            else
            {
                await scene.SendMoreAsync(random.Next(FewestRequests, MostRequests));
            }

            await scene.Server.KillAsync();
            await scene.VerifyAsync();
            await scene.RestartReadyAsync();
        }

        // The last death comes with the load still on, so that what is under way dies with it.
        await scene.SendMoreAsync(FewestRequests);
        await scene.Server.KillAsync();
        await scene.EndLoadAsync();
        await scene.VerifyAsync();
        await scene.RestartReadyAsync();
        var report = await scene.AuditAsync();

        Assert.True(report.Passed, $"seed {seed}\n{string.Join('\n', report.Lines())}\n{scene.Server.Output}");
        Assert.True(
            report is { Accepted: > FewestRequests, Duplicates: > 0 },
            $"the load has not tried enough\n{string.Join('\n', report.Lines())}");
    }
}
