using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using ZapierTriggers.Load.Core.Verdict;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// The disk under the data directory loses power: what was not on it is gone. <c>synced</c> and <c>stored</c> lose nothing that was
/// answered. <c>journaled</c> loses at most what was answered shortly before the cut, all of it from the end, and no 409 names a lost event
/// afterwards. The server takes nothing more once the disk is gone, and the next start says what it followed.
/// </summary>
public sealed class PowerCut
{
    // At 2,000 requests a second the load runs for three seconds, much longer than the time whose events may be lost.
    private const int Requests = 6_000;

    // The flush interval is 50 ms; the rest is for a machine that does much else at the same time.
    private static readonly TimeSpan MayBeLost = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan NoticeLimit = TimeSpan.FromSeconds(60);
    private static readonly int Rounds = int.Parse(
        Environment.GetEnvironmentVariable("ZAP_CRASH_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(StoreKind.Sqlite, "synced")]
    [InlineData(StoreKind.Postgres, "stored")]
    public async Task What_was_answered_as_synced_or_stored_is_there(StoreKind store, string ackWhen)
    {
        for (var round = 0; round < Rounds; round++)
        {
            using var volume = Volume.Ext4(256);
            await using var scene = await CutAsync(volume, store, ackWhen);
            // a 503 on a doubtful write says that it is not known
            var report = await scene.AuditAsync(new() { ServerErrorsMayBeStored = true });
            Assert.True(report.Passed, $"{string.Join('\n', report.Lines())}\n{scene.Server.Output}");
            Assert.True(report.Accepted > Requests / 2, string.Join('\n', report.Lines()));
        }
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Of_what_was_answered_as_journaled_only_the_end_may_be_lost(StoreKind store)
    {
        for (var round = 0; round < Rounds; round++)
        {
            using var volume = Volume.Ext4(256);
            await using var scene = await CutAsync(volume, store, "journaled");
            Assert.Contains("The machine went down while the former process ran", scene.Server.Output, StringComparison.Ordinal);
            await HoldLossesAsync(scene);
        }
    }

    /// <summary>Runs load, cuts, and returns when the server is ready again on what the disk has.</summary>
    private static async Task<Scene> CutAsync(Volume volume, StoreKind store, string ackWhen)
    {
        var scene = await Scene.CreateAsync(new SceneSettings
        {
            Store = store,
            AckWhen = ackWhen,
            Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
            EventsPerSecond = 2_000,
            Folder = volume.Path,

            // A small ring is in its second lap by then: its pages are all there, so that the process outlives the cut and can say so.
            Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Journal__RingBytes"] = "1MiB", ["Journal__SegmentBytes"] = "4MiB" },
        });
        try
        {
            scene.StartLoad();
            await scene.SendMoreAsync(Requests);
            volume.CutPower();
            scene.NoteCut();
            await NoticeAsync(scene.Server);
            await scene.EndLoadAsync();
            await scene.Server.KillAsync();
            volume.Remount();
            await scene.RestartReadyAsync();
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The server says that the journal could not be written. Where the system has written a page of the ring back meanwhile, touching it
    /// ends the process by a signal: that says nothing false either.
    /// </summary>
    private static async Task NoticeAsync(ServerProcess server)
    {
        var state = "";
        await Poll.UntilAsync(
            async () => server.HasExited || (state = await server.ReadyTextAsync()).Contains(
                "The journal could not be written", StringComparison.Ordinal),
            NoticeLimit,
            () => $"the server to notice that its disk is gone\n{state}");
    }

    private static async Task HoldLossesAsync(Scene scene)
    {
        var stored = await scene.ReadInbox().ToListAsync();
        var ids = stored.Select(item => item.Id).ToHashSet();
        var lost = scene.Ledger.Entries.Where(entry => entry.Status == 202 && !ids.Contains(entry.Id)).ToList();
        var lostContents = lost.Select(entry => entry.Content).ToHashSet();

        // All from the end, and recent.
        var mayBeLostAfter = scene.CutAt - MayBeLost;
        Assert.All(lost, entry => Assert.True(entry.Id > stored[^1].Id, $"{entry.Id} is lost, {stored[^1].Id} is not"));
        Assert.All(
            lost,
            entry =>
                Assert.True(
                    TimeSpan.FromMicroseconds(entry.SentMicroseconds) > mayBeLostAfter, $"{entry} of before {mayBeLostAfter} is lost"));

        // Everything else is as ever: only the lost ones are missing, and the answers to their duplicates.
        var report = await scene.AuditAsync();
        Assert.Equal(lost.Count, report.Counts.GetValueOrDefault(Violation.Lost));
        var others = report.Counts.Keys.Except([Violation.Lost, Violation.DuplicateNamesOther]);
        Assert.True(!others.Any(), string.Join('\n', report.Lines()));
        var wrong = scene.Ledger.Entries.Where(
            entry => entry.Status == 409 && !ids.Contains(entry.Id) && !lostContents.Contains(entry.Content));
        Assert.Empty(wrong);

        // A lost event can be sent again; one that is there cannot.
        foreach (var content in lostContents.TakeLast(10)) Assert.Equal(HttpStatusCode.Accepted, await SendAgainAsync(scene, content));
        var kept = scene.Ledger.Entries.Where(entry => entry.Status == 202 && ids.Contains(entry.Id)).TakeLast(10);
        foreach (var entry in kept) Assert.Equal(HttpStatusCode.Conflict, await SendAgainAsync(scene, entry.Content));
    }

    private static async Task<HttpStatusCode> SendAgainAsync(Scene scene, int content)
    {
        var payload = System.Text.Encoding.UTF8.GetString(scene.Source.PayloadOf(content));
        using var body = new StringContent(
            $"{{\"type\":\"again\",\"dedup_id\":\"{scene.Source.DedupIdOf(content)}\",\"payload\":{payload}}}");
        body.Headers.ContentType = new("application/json");
        using var answer = await scene.Tenant.Client.PostAsync("/api/events", body);
        return answer.StatusCode;
    }
}
