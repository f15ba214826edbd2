using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// With 256 MiB, a store that stands still, payloads of 200 KiB, hundreds of bodies that do not end and readers that do not read, the
/// server refuses with 503 before it runs out of memory, lives, and goes on when the store is back. Nothing that was answered is lost.
/// </summary>
public sealed class SmallMemory
{
    private const int PayloadBytes = 200 * 1024;
    private const int SlowBodies = 400;
    private const int SlowReaders = 40;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_refusal_comes_before_the_end_of_memory()
    {
        var limit = new MemoryLimit();
        await using var scene = await Scene.CreateAsync(SettingsOf(limit));
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        await using (await LockStoreAsync(scene))
        {
            var bodies = await Task.WhenAll(Enumerable.Range(0, SlowBodies).Select(_ => BeginBodyAsync(scene)));
            await Poll.UntilAsync(() => Answered(scene, 503) > 50, Limit, "refusals");
            var refused = (await Task.WhenAll(bodies.Select(EndBodyAsync))).Count(status => status == 503);
            Assert.True(refused > 0, "no slow body was refused");
        }

        var accepted = Answered(scene, 202);
        await Poll.UntilAsync(() => Answered(scene, 202) > accepted + 50, Limit, "events to be taken again");
        await ReadSlowlyAsync(scene);

        Assert.False(scene.Server.HasExited, scene.Server.Errors);
        var peak = MemoryLimit.PeakOf(scene.Server);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"peak {peak >> 20} MiB, {(limit.IsReal ? "held by the kernel" : "measured only")}");
        if (!limit.IsReal) Assert.True(peak < MemoryLimit.Bytes, $"{peak >> 20} MiB were resident");
        await scene.AuditAfterRestartAsync("", new() { AllMustBeDelivered = false });
    }

    private static SceneSettings SettingsOf(MemoryLimit limit) => new()
    {
        Store = StoreKind.Sqlite,
        AckWhen = "journaled",
        Seed = 18,
        EventsPerSecond = 80,
        PayloadBytes = PayloadBytes,
        RunBy = limit.RunBy,
        Settings = new Dictionary<string, string>(limit.Settings, StringComparer.Ordinal)
        {
            ["Journal__SegmentBytes"] = "8MiB",
            ["Journal__MaxBytes"] = "64MiB",
        },
    };

    private static int Answered(Scene scene, int status) => scene.Ledger.Entries.Count(entry => entry.Status == status);

    /// <summary>Nothing is written to the store until this is disposed.</summary>
    private static async Task<SqliteConnection> LockStoreAsync(Scene scene)
    {
        var connection = await scene.OpenSqliteAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE";
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Sends a body but for its last byte. It is no event, so that it can never be stored.</summary>
    private static async Task<TcpClient> BeginBodyAsync(Scene scene)
    {
        var client = new TcpClient();
        await client.ConnectAsync(scene.Setup.Address.Host, scene.Setup.Port);
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"POST /api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {scene.Tenant.Key}\r\nContent-Type: application/json\r\nContent-Length: {PayloadBytes}\r\n\r\n");
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        await stream.WriteAsync(new byte[PayloadBytes - 1]);
        return client;
    }

    /// <summary>Sends the last byte; the status of the answer.</summary>
    private static async Task<int> EndBodyAsync(TcpClient client)
    {
        using (client)
        {
            using var deadline = new CancellationTokenSource(Limit);
            var stream = client.GetStream();
            var line = new byte["HTTP/1.1 503".Length];
            try
            {
                await stream.WriteAsync(new byte[1], deadline.Token);
                await stream.ReadExactlyAsync(line, deadline.Token);
            }
            catch (IOException)
            {
                return 0; // refused before, and the connection closed
            }

            return int.Parse(Encoding.ASCII.GetString(line)[9..], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Asks for large pages and reads none of them before all have been answered.</summary>
    private static async Task ReadSlowlyAsync(Scene scene)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, SlowReaders).Select(
            _ => scene.Tenant.Client.GetAsync("/api/inbox?limit=1000&order=asc", HttpCompletionOption.ResponseHeadersRead)));
        foreach (var answer in answers)
        {
            Assert.True((int)answer.StatusCode is 200 or 503, $"{(int)answer.StatusCode}");
            answer.Dispose();
        }
    }
}
