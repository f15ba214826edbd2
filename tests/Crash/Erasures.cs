using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// The server dies at each point of an erasure. The next start completes it: its receipt says what was erased, nothing of that is left in
/// any file of the data directory (SQLite's too), and journal, store and ledger agree.
/// </summary>
public sealed class Erasures
{
    private const int Count = 700;
    private const string Gone = "person-to-be-erased";
    private const string Kept = "person-to-be-kept";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task A_death_at_any_point_leaves_nothing_of_what_was_to_be_erased(StoreKind store)
    {
        await using var scene = await Scene.CreateAsync(new SceneSettings
        {
            Store = store,
            AckWhen = "stored",
            Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
            Settings =
                new Dictionary<string, string>(StringComparer.Ordinal) { ["LOG_LEVEL"] = "critical", ["Journal__SegmentBytes"] = "1MiB" },
        });
        var rounds = 0;
        foreach (var point in Failpoint.OfErasure)
        {
            rounds++;
            await scene.RestartAsync(scene.Setup.With("ZAP_FAILPOINT", point));
            await scene.Server.WaitReadyAsync();
            await SendAsync(scene);
            Assert.NotEmpty(Leftovers(scene, Gone));
            await EraseAsync(scene, point);

            await scene.RestartReadyAsync();
            await Poll.UntilAsync(async () => await FinishedAsync(scene) == rounds, Limit, () => $"{point}: the erasure to be finished");
            Assert.Equal(rounds * Count, (await scene.GetAsync("/api/ledger")).GetProperty("erased").GetInt32());
            await Poll.UntilAsync(
                () => Task.FromResult(Leftovers(scene, Gone).Count == 0), Limit,
                () => $"{point}: {string.Join(' ', Leftovers(scene, Gone))}");
            await scene.Server.KillAsync();
            Assert.Empty(Leftovers(scene, Gone));
            Assert.NotEmpty(Leftovers(scene, Kept));
            await scene.VerifyAsync();
        }
    }

    /// <summary>Events of two persons in turn, some with more payload than fits a page of a database, some with a dedup id.</summary>
    private static async Task SendAsync(Scene scene)
    {
        var batch = Enumerable.Range(0, 2 * Count).Select(n => new
        {
            type = "t",
            payload = new { who = n % 2 == 0 ? Gone : Kept, n, text = new string('x', n % 50 == 0 ? 3_000 : 10) },
            dedup_id = n % 3 == 0 ? $"{(n % 2 == 0 ? Gone : Kept)}-{Guid.NewGuid()}" : null,
        });
        foreach (var part in batch.Chunk(1000))
            Assert.Equal(part.Length, (await scene.PostAsync("/api/events/batch", part)).GetProperty("accepted").GetInt32());
    }

    private static async Task EraseAsync(Scene scene, string point)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/events")
        {
            Content = new StringContent(
                JsonSerializer.Serialize(new { payload_field = "who", equals = Gone }), Encoding.UTF8, "application/json"),
        };
        try
        {
            using var answer = await scene.Tenant.Client.SendAsync(request);
        }
        catch (HttpRequestException)
        {
            // It died before the answer.
        }

        Assert.True(await scene.Server.HasExitedWithinAsync(Limit), $"{point} was not reached\n{scene.Server.Output}");
    }

    /// <summary>Erasures with a whole receipt, which has lost what selected.</summary>
    private static async Task<int> FinishedAsync(Scene scene)
    {
        var sql = "SELECT count(*) FROM erasures WHERE finished_at IS NOT NULL AND journal_erased AND selection = '' "
            + string.Create(CultureInfo.InvariantCulture, $"AND matched = {Count} AND erased = {Count}");
        return Convert.ToInt32(await scene.ExecuteAsync(sql), CultureInfo.InvariantCulture);
    }

    /// <summary>The files of the data directory that hold the text.</summary>
    private static List<string> Leftovers(Scene scene, string text)
    {
        var found = new List<string>();
        foreach (var path in Directory.EnumerateFiles(scene.Setup.DataDirectory, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(path) == "lock") continue;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[file.Length];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (bytes.AsSpan(0, length).IndexOf(Encoding.UTF8.GetBytes(text)) >= 0) found.Add(Path.GetFileName(path));
        }

        return found;
    }
}
