using System.Text;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Dedup;

/// <summary>A window with its writer, its clock and its store's watermark, next to a plain model of what was published.</summary>
internal sealed class WindowUnderTest
{
    public static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly EventIdGenerator _ids = new(default);
    private ulong _storedThrough;

    public WindowUnderTest(int maxEntries, long filterBytes = 1 << 20, DateTimeOffset? startsAt = null)
    {
        Clock = new FakeTimeProvider(startsAt ?? Start);
        var options = new DedupOptions { MaxEntries = maxEntries, FilterBytes = filterBytes };
        Window = new DedupWindow(options, Now, () => Volatile.Read(ref _storedThrough), Clock);
    }

    public DedupWindow Window { get; }

    public FakeTimeProvider Clock { get; }

    public long Now => Clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The last entry of each key, published or preloaded.</summary>
    public Dictionary<int, DedupEntry> Model { get; } = [];

    /// <summary>The last id published.</summary>
    public EventId Last { get; private set; }

    public static DedupKey Key(int number) => DedupKey.Of(Encoding.UTF8.GetBytes($"order-{number}"), number % 3, 42);

    /// <summary>Does what the sequencer does with a new event.</summary>
    public DedupEntry Publish(int key)
    {
        Last = _ids.Next(Now);
        var entry = new DedupEntry(Last, (ulong)key * 3);
        Window.Publish(Key(key), entry.Id, entry.PayloadHash);
        Model[key] = entry;
        return entry;
    }

    /// <summary>Adds an event from before the start.</summary>
    public void Preload(int key, DateTimeOffset acceptedAt)
    {
        var entry = new DedupEntry(new EventId(EventId.LowerBound(acceptedAt).High | 0x7000, (ulong)key + 1), (ulong)key * 3);
        Window.Preload(Key(key), entry.Id, entry.PayloadHash);
        if (!Model.TryGetValue(key, out var known) || known.Id < entry.Id) Model[key] = entry;
    }

    /// <summary>Lets the store have everything up to that position.</summary>
    public void Store(ulong position) => Volatile.Write(ref _storedThrough, position);

    public DedupEntry? Find(int key) => Window.TryFind(Key(key), Now, out var entry) ? entry : null;

    /// <summary>
    /// Whether an organization made then may take an id for new, because the window has missed it; by default one that nobody sent.
    /// </summary>
    public bool IsNewFor(long organizationCreatedAtMs, int key = int.MaxValue) =>
        Window.IsMissProof(Key(key), organizationCreatedAtMs, Now);

    /// <summary>
    /// What the window must say of a key: the live entry if it is in the covered time or not stored yet, and never anything else.
    /// </summary>
    public void Check(int key)
    {
        var expected = Model.TryGetValue(key, out var entry) && entry.IsLive(Now) ? entry : (DedupEntry?)null;
        var found = Find(key);
        if (found is not null)
        {
            Assert.Equal(expected, found);
        }
        else if (expected is { Id: var lost })
        {
            Assert.True(lost.UnixMilliseconds < Window.CoveredSinceMs, $"key {key} is covered and lost");
            Assert.True(lost.High <= Volatile.Read(ref _storedThrough), $"key {key} was evicted before it was stored");
            Assert.False(Window.IsMissProof(Key(key), long.MinValue, Now));
        }
    }
}
