using System.Security.Cryptography;
using ZapierTriggers.Tests.Crash.Infrastructure;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// The disk of the journal, of SQLite, of Postgres is full under load: ready says so, events are refused or wait, and all goes on by itself
/// when room is made. Nothing that was answered is lost or doubled.
/// </summary>
public sealed class FullDisk
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Without_room_for_a_segment_events_are_refused_until_there_is()
    {
        using var volume = Volume.Memory(64 << 10);
        await using var scene = await Scene.CreateAsync(Settings(StoreKind.Postgres) with { Folder = volume.Path });
        volume.Fill(kibibytesLeft: 512);
        await FillAndMakeRoomAsync(scene, volume, "The next journal segment cannot be made");
    }

    [Fact]
    public async Task A_full_disk_under_SQLite_and_journal_holds_everything_until_there_is_room()
    {
        using var volume = Volume.Memory(128 << 10);
        await using var scene = await Scene.CreateAsync(Settings(StoreKind.Sqlite) with { Folder = volume.Path });

        // Much less than the half of a segment that the journal has before it asks for room: the database is the first to notice.
        volume.Fill(kibibytesLeft: 100);
        await FillAndMakeRoomAsync(scene, volume, "disk of the data directory is full");
    }

    [Fact]
    public async Task A_full_disk_under_Postgres_is_waited_for()
    {
        if (PostgresCluster.Given is not null) Assert.Skip("ZAP_TEST_POSTGRES is not ours to fill the disk of.");
        using var volume = Volume.Memory(64 << 10);
        volume.GiveTo("postgres");
        var tablespace = $"small_{Guid.NewGuid():N}";
        await PostgresServer.ExecuteAsync($"CREATE TABLESPACE {tablespace} LOCATION '{volume.Path}'");
        try
        {
            await using var scene = await Scene.CreateAsync(Settings(StoreKind.Postgres) with { Tablespace = tablespace });
            volume.Fill(kibibytesLeft: 256);
            await FillAndMakeRoomAsync(scene, volume, "No space left on device");
        }
        finally
        {
            await PostgresServer.ExecuteAsync($"DROP TABLESPACE {tablespace}");
        }
    }

    private static SceneSettings Settings(StoreKind store) => new()
    {
        Store = store,
        AckWhen = "journaled",
        Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
        EventsPerSecond = 1_000,
        Settings = SceneSettings.SmallJournal,
    };

    private static async Task FillAndMakeRoomAsync(Scene scene, Volume volume, string reason)
    {
        scene.StartLoad();
        var said = "";
        await Poll.UntilAsync(
            async () => (said = await scene.Server.ReadyTextAsync()).Contains(reason, StringComparison.Ordinal),
            Limit,
            () => $"ready to say: {reason}; it says {said}\n{scene.Server.Output}");
        Assert.Contains("\"not_ready\"", said, StringComparison.Ordinal);

        volume.MakeRoom();
        await scene.Server.WaitReadyAsync();
        await scene.SendMoreAsync(500);
        var report = await scene.AuditAfterRestartAsync();
        Assert.True(report.Accepted > 500, string.Join('\n', report.Lines()));
    }
}
