using System.Globalization;
using System.Security.Cryptography;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// An endpoint is made that starts at an event of long ago, and the server dies again and again while it catches up, at a failpoint of
/// delivery or at any moment. After each death its cursor stands behind nothing that was not received; in the end every event was received,
/// twice only those of a window in flight, and every try is counted.
/// </summary>
public sealed class Backfills
{
    private const int Count = 4_000;
    private const int BatchSize = 1_000;
    private const int FailEvery = 50;

    // Slow enough to die several times on the way.
    private const int PerSecond = 1_000;

    // At so many starts a second: 64 in flight, and a second of results being recorded.
    private const int InFlight = 64 + PerSecond;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Deaths_while_an_endpoint_catches_up_lose_nothing_and_double_only_what_was_in_flight(StoreKind store)
    {
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        var random = new Random(seed);
        await using var scene = await Scene.CreateAsync(Settings(store, seed));
        await using var receiver = await Receiver.StartAsync(new ReceiverSettings { FailEvery = FailEvery });
        var ids = await StoreAsync(scene);
        await scene.Server.KillAsync(); // webhooks were off
        var sending = scene.Setup.With("Delivery__Enabled", "true");
        await scene.RestartAsync(sending);
        await scene.Server.WaitReadyAsync();
        var made = await scene.PostAsync(
            "/api/endpoints", new { url = new Uri(receiver.Url, "/hook"), start = ids[0].ToString(), rate_limit_per_second = PerSecond });
        var endpoint = made.GetProperty("id").GetGuid();
        var deaths = 0;
        foreach (var point in (string?[])[null, Failpoint.DeliverySending, Failpoint.DeliverySent, Failpoint.DeliveryRecording, Failpoint.DeliveryRecorded, null])
        {
            if (receiver.Log.Succeeded > Count * 9 / 10) break;
            await DieAsync(scene, receiver, sending, point, random);
            deaths++;
            await CheckCursorAsync(scene, receiver, endpoint, ids);
        }

        Assert.True(deaths >= 3, $"caught up after {deaths} deaths");
        await scene.EndLeasesAsync();
        await scene.RestartAsync(sending);
        await scene.Server.WaitReadyAsync();
        await receiver.Log.WaitForAsync(Count).WaitAsync(Limit);
        await Poll.UntilAsync(
            async () => await CursorAsync(scene, endpoint) == ids[^1] && await WaitingAsync(scene) == 0, Limit, () =>
                $"the end of it, seed {seed}\n{scene.Server.Output}");
        await CheckAsync(scene, receiver, endpoint, ids, deaths);
    }

    private static SceneSettings Settings(StoreKind store, int seed) => new()
    {
        Store = store,
        AckWhen = "stored",
        Seed = seed,
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LOG_LEVEL"] = "critical",
            ["Delivery__Enabled"] = "false",
            ["Delivery__Timeout"] = "1s",
            ["Delivery__RetrySchedule"] = string.Join(',', Enumerable.Repeat("50ms", 8)),
        },
    };

    private static async Task DieAsync(Scene scene, Receiver receiver, ServerSetup sending, string? point, Random random)
    {
        var soon = receiver.Log.Succeeded + random.Next(50, Count / 10);
        if (point is null)
        {
            if (scene.Server.HasExited)
            {
                await scene.RestartAsync(sending);
                await scene.Server.WaitReadyAsync();
            }

            await receiver.Log.WaitForAsync(soon).WaitAsync(Limit);
            await scene.Server.KillAsync();
            return;
        }

        var pass = point is Failpoint.DeliverySending or Failpoint.DeliverySent ? random.Next(50, Count / 10) : random.Next(1, 6);
        await scene.RestartAsync(sending.With("ZAP_FAILPOINT", $"{point}:{pass.ToString(CultureInfo.InvariantCulture)}"));
        Assert.True(await scene.Server.HasExitedWithinAsync(Limit), $"{point}:{pass} was not reached");
    }

    /// <summary>While the server is dead: all up to the cursor has been received, or waits for its retry.</summary>
    private static async Task CheckCursorAsync(Scene scene, Receiver receiver, Guid endpoint, EventId[] ids)
    {
        var cursor = await CursorAsync(scene, endpoint);
        var received = receiver.Log.ToList().Select(delivery => delivery.WebhookId).ToHashSet();
        Assert.All(ids.Where(id => id <= cursor), id => Assert.Contains(id, received));
    }

    private static async Task CheckAsync(Scene scene, Receiver receiver, Guid endpoint, EventId[] ids, int deaths)
    {
        var made = receiver.Log.ToList().GroupBy(delivery => delivery.WebhookId).ToDictionary(group => group.Key, group => group.ToList());
        Assert.Equal(ids.Order(), made.Keys.Order());
        var again = made.Values.Count(tries => tries.Count(one => one.Status == 200) > 1);
        Assert.InRange(again, 0, deaths * InFlight);
        Assert.All(made.Values, tries => Assert.InRange(tries.Count(one => one.Status == 200), 1, 1 + deaths));
        var uneven = 0;
        foreach (var id in ids.Where((id, index) => made[id].Count > 1 || index % 50 == 0))
        {
            var delivery = (await scene.GetAsync($"/api/events/{id}")).GetProperty("deliveries").EnumerateArray()
                .Single(one => one.GetProperty("endpoint_id").GetGuid() == endpoint);
            Assert.Equal("delivered", delivery.GetProperty("status").GetString());
            var numbers = delivery.GetProperty("attempts").EnumerateArray().Select(one => one.GetProperty("number").GetInt32()).ToList();

            // A first try that died before it was recorded was made again under its number; a claimed one took a number and was not made,
            // or not noted.
            Assert.Equal(numbers.Distinct().Order(), numbers);
            Assert.InRange(numbers.Count, 1, made[id].Count);
            Assert.InRange(numbers[^1], 1, made[id].Count + deaths);
            if (numbers[^1] != made[id].Count || numbers.Count != made[id].Count) uneven++;
        }

        Assert.InRange(uneven, 0, deaths * InFlight);
    }

    private static async Task<EventId[]> StoreAsync(Scene scene)
    {
        var ids = new List<EventId>();
        var batch = Enumerable.Range(0, BatchSize).Select(number => new { type = "t", payload = new { number } }).ToArray();
        for (var i = 0; i < Count / BatchSize; i++)
        {
            var answer = await scene.PostAsync("/api/events/batch", batch);
            foreach (var one in answer.GetProperty("results").EnumerateArray())
            {
                Assert.True(EventId.TryParse(one.GetProperty("id").GetString(), out var id));
                ids.Add(id);
            }
        }

        return [.. ids];
    }

    private static async Task<EventId> CursorAsync(Scene scene, Guid endpoint)
    {
        const string Sql = "SELECT delivered_through FROM lanes WHERE endpoint_id = ";
        var value = await scene.ExecuteAsync(Sql + "$1", endpoint);
        return value switch
        {
            Guid id => EventId.TryParse(id.ToString(), out var read) ? read : throw new InvalidOperationException($"{id} is no event id."),
            byte[] bytes =>
                EventId.TryParse(new Guid(bytes, bigEndian: true).ToString(), out var read)
                    ? read
                    : throw new InvalidOperationException("No event id."),
            _ => throw new InvalidOperationException($"A cursor is a {value?.GetType()}."),
        };
    }

    private static async Task<long> WaitingAsync(Scene scene) =>
        Convert.ToInt64(await scene.ExecuteAsync("SELECT count(*) FROM retries"), CultureInfo.InvariantCulture);
}
