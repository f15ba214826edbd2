using System.Collections.Concurrent;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Bench.Operations;

/// <summary>Work on the dedup window, empty and holding what its default bound lets it.</summary>
internal static class DedupOperations
{
    private const long Now = 1_900_000_000_000;
    private const int Few = 10_000;
    private const int Many = 4_900_000;

    // Shared by the operations that only read it: filling takes seconds.
    private static readonly Lazy<DedupWindow> Full = new(static () => Filled(Many));

    /// <summary>The operations.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        new("dedup-key", () => () => (long)DedupKey.Of("order-8fK2x-paid"u8, 7, 42).Low),
        new("dedup-find-hit-10-thousand", () => Find(Filled(Few), 0, Few)),
        new("dedup-find-miss-10-thousand", () => Find(Filled(Few), Few, Few)),
        new("dedup-find-hit-5-million", () => Find(Full.Value, 0, Many)),
        new("dedup-find-miss-5-million", () => Find(Full.Value, Many, Many)),
        new("dedup-publish", Publish),
        new("dictionary-find-hit", FindInDictionary),
    ];

    private static Func<long> Find(DedupWindow window, int first, int count)
    {
        var next = 0;
        return () =>
        {
            // A stride far larger than a cache, so that a large table is read from memory as it is in real use.
            next = (int)((next + 1_000_003L) % count);
            return window.TryFind(Key(first + next), Now, out var entry) ? (long)entry.Id.High : 0;
        };
    }

    private static Func<long> Publish()
    {
        var window = Create();
        var ids = new EventIdGenerator(default);
        var next = 0;
        return () =>
        {
            window.Publish(Key(next), ids.Next(Now), 1);
            return next++;
        };
    }

    private static Func<long> FindInDictionary()
    {
        var dictionary = new ConcurrentDictionary<DedupKey, DedupEntry>();
        for (var i = 0; i < Few; i++) dictionary[Key(i)] = new DedupEntry(new EventId(1, 1), 1);
        var next = 0;
        return () => dictionary.TryGetValue(Key(next++ % Few), out var entry) ? (long)entry.Id.High : 0;
    }

    private static DedupWindow Filled(int count)
    {
        var window = Create();
        var ids = new EventIdGenerator(default);
        for (var i = 0; i < count; i++) window.Publish(Key(i), ids.Next(Now), 1);
        window.Maintenance.Wait();
        return window;
    }

    private static DedupWindow Create() => new(new DedupOptions(), Now, static () => ulong.MaxValue, TimeProvider.System);

    /// <summary>As well spread as a real key, and cheaper to make.</summary>
    private static DedupKey Key(int number)
    {
        var mixed = (ulong)(number + 1) * 0x9E37_79B9_7F4A_7C15;
        mixed = (mixed ^ (mixed >> 32)) * 0xD6E8_FEB8_6659_FD93;
        return new DedupKey(mixed, (mixed ^ (mixed >> 32)) * 0xD6E8_FEB8_6659_FD93);
    }
}
