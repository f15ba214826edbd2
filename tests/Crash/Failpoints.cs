using System.Globalization;
using System.Security.Cryptography;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// The server dies at each <see cref="Failpoint"/>, at the first pass or a later one, under load, while it starts, while it stops. Each
/// death is followed by a start, each scene by an audit: nothing answered is lost or doubled, no key, webhook or acknowledgement that was
/// answered is missing. A point that no scene reaches fails the test. One half of the points is tried on SQLite, the other on Postgres; the
/// next round has them change places.
/// </summary>
public sealed class Failpoints
{
    private const int KilledBySignal = 128 + 9;
    private static readonly TimeSpan ReachLimit = TimeSpan.FromSeconds(60);

    /// <summary>Rounds over all points: 1 unless <c>ZAP_CRASH_ROUNDS</c> says otherwise.</summary>
    private static readonly int Rounds = int.Parse(
        Environment.GetEnvironmentVariable("ZAP_CRASH_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task A_death_at_any_of_them_loses_and_doubles_nothing(StoreKind store)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var points = Failpoint.All.Where((_, index) => (index + round) % 2 == (int)store).ToArray();
            var ackWhen = (string[])["journaled", "synced", "stored"];
            await DieAtEachAsync(points, Settings(store, ackWhen[(round + (int)store) % ackWhen.Length]));
        }
    }

    private static SceneSettings Settings(StoreKind store, string ackWhen) => new()
    {
        Store = store,
        AckWhen = ackWhen,
        Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
        EventsPerSecond = 500,
        Receiver = new ReceiverSettings { FailEvery = 10 },
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // Small and short, so that all that happens from time to time happens all the time.
            ["LOG_LEVEL"] = "critical",
            ["Journal__SegmentBytes"] = "1MiB",
            ["Journal__RetainFor"] = "0",
            ["Delivery__RetrySchedule"] = string.Join(',', Enumerable.Repeat("20ms", 32)),
        },
    };

    private static async Task DieAtEachAsync(string[] points, SceneSettings settings)
    {
        var random = new Random(settings.Seed);
        await using var scene = await Scene.CreateAsync(settings);
        await Poison.AddAsync(scene);
        await using var bystander = new Bystander(scene.Setup.Address);
        scene.StartLoad();
        await scene.SendMoreAsync(100);
        random.Shuffle(points);
        var deaths = new List<string>();
        foreach (var point in points)
        {
            var armed = $"{point}:{1 + random.Next(LatestPass(point))}";
            deaths.Add(armed);
            await DieAsync(scene, bystander, armed);
        }

        // The last one leaves nothing under way behind it.
        await bystander.EndAsync();
        var note = string.Join(' ', deaths);
        var report = await scene.AuditAfterRestartAsync(note);
        Assert.True(report.Accepted > 0, note);
        await bystander.VerifyAsync();
        Assert.True(bystander.Rounds > 0, note);
    }

    private static async Task DieAsync(Scene scene, Bystander bystander, string armed)
    {
        // A recovery has a tail to move only behind a death between write and flush.
        var isInRecovery = armed.StartsWith("recovery-", StringComparison.Ordinal) || armed.StartsWith("ring-", StringComparison.Ordinal);
        if (isInRecovery) await DieAsync(scene, bystander, Failpoint.JournalWritten + ":3");
        if (!scene.Server.HasExited) await scene.Server.KillAsync();
        await scene.RestartAsync(scene.Setup.With("ZAP_FAILPOINT", armed));
        if (armed.StartsWith("stop-", StringComparison.Ordinal))
        {
            await scene.Server.WaitReadyAsync();
            await scene.SendMoreAsync(200);
            scene.Server.Signal(ServerProcess.SigTerm);
        }

        var isReached = await scene.Server.HasExitedWithinAsync(ReachLimit);
        var state = isReached ? "" : await scene.Server.ReadyTextAsync();
        Assert.True(isReached, $"{armed} was not reached {bystander.Failure}\n{state}\n{scene.Server.Output}\n{scene.Server.Errors}");
        Assert.True(
            scene.Server.ExitCode == KilledBySignal,
            $"{armed}: exit code {scene.Server.ExitCode}\n{scene.Server.Output}\n{scene.Server.Errors}");
    }

    /// <summary>Passes that come within a second or two; what is passed once a start or stop cannot be passed twice.</summary>
    private static int LatestPass(string point) => point[..point.IndexOf('-', StringComparison.Ordinal)] switch
    {
        "sequencer" => 300,
        "journal" => 10,
        "store" => point == Failpoint.StoreQuarantined ? 1 : 5,
        "segment" => point == Failpoint.SegmentDeleted ? 1 : 2,
        "delivery" => 50,
        "ack" or "organization" or "key" or "endpoint" or "replay" => 2,
        _ => 1,
    };
}
