using ZapierTriggers.Core.Dedup;

namespace ZapierTriggers.Tests.Unit.Dedup;

/// <summary>
/// Readers next to the writer, the warm-up and the background, while generations are swapped, frozen, merged and evicted.
/// </summary>
public sealed class DedupWindowConcurrencyTests
{
    private const int Readers = 3;

    [Fact]
    public async Task No_published_key_is_ever_missed()
    {
        const int Keys = 100_000;
        var test = new WindowUnderTest(64 * 256); // 256 a generation: 390 swaps; nothing is stored, so nothing may go
        var keys = Enumerable.Range(0, 2 * Keys).Select(WindowUnderTest.Key).ToArray();
        var published = 0;
        var preloaded = Keys;
        var readers = Start(random =>
        {
            Assert.True(Volatile.Read(ref published) == 0 || Has(random.Next(0, Volatile.Read(ref published))));
            Assert.True(Volatile.Read(ref preloaded) == Keys || Has(random.Next(Keys, Volatile.Read(ref preloaded))));
        });
        var warmUp = Task.Run(() =>
        {
            for (var key = Keys; key < 2 * Keys; key++)
            {
                test.Window.Preload(keys[key], new(((ulong)test.Now << 16) - (ulong)key, 1), 0);
                Volatile.Write(ref preloaded, key + 1);
            }
        });
        for (var key = 0; key < Keys; key++)
        {
            test.Publish(key);
            Volatile.Write(ref published, key + 1);
        }

        await warmUp;
        await readers.Stop();
        await test.Window.Maintenance;
        Assert.Null(test.Window.MaintenanceFault);
        Assert.Equal((2 * Keys, 0L), (test.Window.Count, test.Window.EvictionVersion));
        Assert.All(Enumerable.Range(0, 2 * Keys), key => Assert.True(Has(key)));

        bool Has(int key) => test.Window.TryFind(keys[key], test.Now, out _);
    }

    [Fact]
    public async Task A_miss_of_an_evicted_key_comes_with_the_coverage_and_the_version_that_say_so()
    {
        const int Keys = 100_000;
        var test = new WindowUnderTest(64 * 64);
        test.Store(ulong.MaxValue);
        var keys = Enumerable.Range(0, Keys).Select(WindowUnderTest.Key).ToArray();
        var entries = new DedupEntry[Keys];
        var published = 0;
        var readers = Start(random =>
        {
            var upTo = Volatile.Read(ref published);
            if (upTo > 0) IsFound(random.Next(Math.Max(0, upTo - 6_000), upTo));
        });
        for (var key = 0; key < Keys; key++)
        {
            test.Clock.Advance(TimeSpan.FromMilliseconds(1));
            entries[key] = test.Publish(key);
            Volatile.Write(ref published, key + 1);
        }

        await readers.Stop();
        await test.Window.Maintenance;
        Assert.Null(test.Window.MaintenanceFault);
        Assert.InRange(test.Window.Count, 1, 64 * 64);
        Assert.InRange(Enumerable.Range(0, Keys).Count(IsFound), 1, 64 * 64);

        bool IsFound(int key)
        {
            if (test.Window.TryFind(keys[key], test.Now, out var entry))
            {
                Assert.Equal(entries[key], entry);
                return true;
            }

            Assert.True(test.Window.EvictionVersion > 0);
            Assert.True(entries[key].Id.UnixMilliseconds < test.Window.CoveredSinceMs);
            Assert.False(test.Window.IsMissProof(keys[key], long.MinValue, test.Now));
            return false;
        }
    }

    private static (Func<Task> Stop, Task Running) Start(Action<Random> read)
    {
        var stopping = false;
        var running = Task.WhenAll(Enumerable.Range(0, Readers).Select(seed => Task.Factory.StartNew(
            () =>
            {
                var random = new Random(seed);
                while (!Volatile.Read(ref stopping)) read(random);
            },
            TaskCreationOptions.LongRunning)));
        return (
            () =>
            {
                Volatile.Write(ref stopping, true);
                return running;
            },
            running);
    }
}
