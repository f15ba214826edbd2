using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>Signals at a running server: stop and continue, stop twice, stop and kill.</summary>
public sealed class Signals
{
    private const int SecondTerm = 130;

    /// <summary>How long the server stands still, seconds: 6 unless <c>ZAP_CRASH_STANDSTILL</c> says otherwise.</summary>
    private static readonly int Standstill = int.Parse(
        Environment.GetEnvironmentVariable("ZAP_CRASH_STANDSTILL") ?? "6", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(StoreKind.Sqlite, "synced")]
    [InlineData(StoreKind.Postgres, "journaled")]
    public async Task A_server_that_stood_still_goes_on(StoreKind store, string ackWhen)
    {
        await using var scene = await Scene.CreateAsync(Settings(store, ackWhen));
        scene.StartLoad();
        await scene.SendMoreAsync(1_000);
        scene.Server.Signal(ServerProcess.SigStop);
        await Poll.SomeTicksAsync(Standstill * 200);
        scene.Server.Signal(ServerProcess.SigCont);

        await scene.Server.WaitReadyAsync();
        await scene.SendMoreAsync(1_000);
        await scene.AuditAfterRestartAsync();
    }

    [Theory]
    [InlineData(StoreKind.Sqlite, "stored")]
    [InlineData(StoreKind.Postgres, "synced")]
    public async Task A_kill_within_a_second_of_a_stop_loses_nothing(StoreKind store, string ackWhen)
    {
        var settings = Settings(store, ackWhen);
        await using var scene = await Scene.CreateAsync(settings);
        scene.StartLoad();
        await scene.SendMoreAsync(1_000);
        scene.Server.Signal(ServerProcess.SigTerm);
        await Poll.SomeTicksAsync(new Random(settings.Seed).Next(200));
        await scene.Server.KillAsync();
        await scene.AuditAfterRestartAsync();
    }

    [Fact]
    public async Task A_second_SIGTERM_ends_a_stop_that_waits()
    {
        await using var scene = await Scene.CreateAsync(Settings(StoreKind.Sqlite, "journaled"));
        scene.StartLoad();
        await scene.SendMoreAsync(500);

        // A request whose body does not come: the stop waits for it.
        using var client = new TcpClient();
        await client.ConnectAsync(scene.Setup.Address.Host, scene.Setup.Port);
        var head = $"POST /api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {scene.Tenant.Key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        await scene.SendMoreAsync(100);
        scene.Server.Signal(ServerProcess.SigTerm);
        await Poll.UntilAsync(() => IsClosed(scene), TimeSpan.FromSeconds(20), "the stop to begin");

        Assert.Equal(SecondTerm, await scene.Server.TerminateAsync());
        await scene.AuditAfterRestartAsync();
    }

    private static SceneSettings Settings(StoreKind store, string ackWhen) =>
        new() { Store = store, AckWhen = ackWhen, Seed = RandomNumberGenerator.GetInt32(int.MaxValue), EventsPerSecond = 1_000 };

    /// <summary>Whether the server takes no connection any more.</summary>
    private static bool IsClosed(Scene scene)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(scene.Setup.Address.Host, scene.Setup.Port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
