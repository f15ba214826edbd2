using System.Net;
using System.Security.Cryptography;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// System calls of the journal fail under load, at the running server. A failed write or flush ends all acknowledgements until a restart,
/// and ready says why; a failed reservation only until there is room. Nothing that was answered is lost or doubled.
/// </summary>
public sealed class FailingDisk
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The call that fails, how, and where: the segment in use, the next one, the directory.</summary>
    public static TheoryData<StoreKind, string, string, string, string> Poisons => new()
    {
        { StoreKind.Sqlite, "synced", "fdatasync", "error=EIO:when=1", "segment" },
        { StoreKind.Postgres, "journaled", "pwrite64", "error=ENOSPC:when=2", "segment" },
        { StoreKind.Sqlite, "synced", "pwrite64", "error=EROFS:when=1+", "segment" },
        { StoreKind.Postgres, "stored", "fsync", "error=EIO:when=1", "directory" },
        { StoreKind.Sqlite, "journaled", "rename", "error=EIO", "next" },
    };

    [Theory]
    [MemberData(nameof(Poisons))]
    public async Task After_a_failed_write_or_flush_nothing_is_acknowledged_until_a_restart(
        StoreKind store, string ackWhen, string call, string fault, string where)
    {
        await using var scene = await Scene.CreateAsync(Settings(store, ackWhen));
        scene.StartLoad();
        await scene.SendMoreAsync(500);

        await using (await SyscallFaults.AttachAsync(scene.Server, call, fault, PathOf(scene, where)))
            await ReadySaysAsync(scene, "The journal could not be written");

        // The fault is over, but what the disk has is in doubt.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await scene.Tenant.SendAsync(scene.Server));

        // An event whose flush failed was answered 503, "may or may not be kept".
        await scene.AuditAfterRestartAsync(call, new() { ServerErrorsMayBeStored = true });
    }

    [Fact]
    public async Task A_failed_reservation_stops_events_until_there_is_room()
    {
        await using var scene = await Scene.CreateAsync(Settings(StoreKind.Sqlite, "journaled"));
        scene.StartLoad();
        await using (await SyscallFaults.AttachAsync(scene.Server, "fallocate", "error=ENOSPC", PathOf(scene, "next")))
            await ReadySaysAsync(scene, "The next journal segment cannot be made");

        await scene.Server.WaitReadyAsync();
        await scene.SendMoreAsync(500);
        await scene.AuditAfterRestartAsync();
    }

    [Fact]
    public async Task A_file_system_that_turns_read_only_stops_the_server_in_honesty()
    {
        using var volume = Volume.Ext4(256);
        await using var scene = await Scene.CreateAsync(Settings(StoreKind.Sqlite, "synced") with { Folder = volume.Path });
        scene.StartLoad();
        await scene.SendMoreAsync(2_000);
        volume.FailDevice();
        await ReadySaysAsync(scene, "The journal could not be written");

        await scene.EndLoadAsync();
        await scene.Server.KillAsync();
        volume.Remount();
        await scene.RestartReadyAsync();
        var report = await scene.AuditAsync(new() { ServerErrorsMayBeStored = true });
        Assert.True(report.Passed, $"{string.Join('\n', report.Lines())}\n{scene.Server.Output}");
    }

    private static SceneSettings Settings(StoreKind store, string ackWhen) => new()
    {
        Store = store,
        AckWhen = ackWhen,
        Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
        EventsPerSecond = 1_000,
        Settings = SceneSettings.SmallJournal,
    };

    private static string PathOf(Scene scene, string where)
    {
        var journal = Path.Combine(scene.Setup.DataDirectory, "journal");
        return where switch
        {
            "segment" => Directory.GetFiles(journal, "*.segment").Max(StringComparer.Ordinal)!,
            "next" => Path.Combine(journal, "next.reserved"),
            _ => journal,
        };
    }

    private static async Task ReadySaysAsync(Scene scene, string reason)
    {
        var said = "";
        await Poll.UntilAsync(
            async () => (said = await scene.Server.ReadyTextAsync()).Contains(reason, StringComparison.Ordinal),
            Limit,
            () => $"ready to say: {reason}; it says {said}\n{scene.Server.Output}");
        Assert.Contains("\"not_ready\"", said, StringComparison.Ordinal);
    }
}
