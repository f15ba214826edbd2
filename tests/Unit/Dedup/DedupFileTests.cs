using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Dedup;

/// <summary>What a stopped process leaves of its dedup ids to the next.</summary>
public sealed class DedupFileTests : IDisposable
{
    private const ulong Position = 0x0123_4567_89AB_7001;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task The_next_process_takes_none_of_the_ids_for_new_and_hardly_any_new_one_for_known()
    {
        var before = await WithKeysAsync(5_000, maxEntries: 1_000); // in memory and in filters
        var since = before.Window.KnownSinceMs;
        using var directory = DataDirectory.Open(_directory.Path, TimeProvider.System);
        DedupFile.Write(directory, Position, await before.Window.LeaveAsync(before.Last));

        var after = new WindowUnderTest(1_000, startsAt: before.Clock.GetUtcNow() + Minute);
        Assert.False(after.IsNewFor(since));
        after.Window.Restore(DedupFile.Take(directory, Position)!);
        Assert.Equal(since, after.Window.KnownSinceMs);
        for (var key = 0; key < 5_000; key++) Assert.False(after.IsNewFor(since, key));
        Assert.InRange(Enumerable.Range(100_000, 1_000).Count(key => !after.IsNewFor(since, key)), 0, 150); // filters of 500 keys
        Assert.False(after.IsNewFor(since - 1));

        // Taken once: another process may accept more.
        Assert.Null(DedupFile.Take(directory, Position));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(_directory.Path), path => Path.GetFileName(path).StartsWith(DedupFile.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_goes_through_many_starts_and_its_ids_expire()
    {
        using var directory = DataDirectory.Open(_directory.Path, TimeProvider.System);
        var since = WindowUnderTest.Start.ToUnixTimeMilliseconds();
        for (var start = 0; start < 26; start++)
        {
            var test = new WindowUnderTest(1_000, startsAt: DateTimeOffset.FromUnixTimeMilliseconds(Hour(start)));
            if (start > 0) test.Window.Restore(DedupFile.Take(directory, Position)!);
            Assert.Equal(start < 24 ? since : Hour(start - 24) + 1, test.Window.KnownSinceMs); // behind the last id that expired
            if (start > 0) Assert.Equal(start >= 24, test.IsNewFor(since, 0));
            test.Publish(start);
            Assert.NotNull(test.Find(start));
            DedupFile.Write(directory, Position, await test.Window.LeaveAsync(test.Last));
        }

        long Hour(int number) => since + (number * 3_600_000L);
    }

    [Fact]
    public async Task It_is_worth_nothing_when_an_event_was_accepted_since()
    {
        using var directory = DataDirectory.Open(_directory.Path, TimeProvider.System);
        var known = await (await WithKeysAsync(10)).Window.LeaveAsync(default);
        DedupFile.Write(directory, Position, known);
        Assert.Null(DedupFile.Take(directory, Position + 1));
        Assert.Null(DedupFile.Take(directory, Position)); // nor later
    }

    [Fact]
    public async Task It_is_worth_nothing_when_a_byte_is_another_or_missing()
    {
        using var directory = DataDirectory.Open(_directory.Path, TimeProvider.System);
        var test = await WithKeysAsync(300);
        DedupFile.Write(directory, Position, await test.Window.LeaveAsync(test.Last));
        var path = Path.Combine(_directory.Path, DedupFile.Name);
        var whole = File.ReadAllBytes(path);
        for (var at = 0; at < whole.Length; at += at < 64 ? 1 : 37)
        {
            var other = (byte[])whole.Clone();
            other[at] ^= 0x10;
            File.WriteAllBytes(path, other);
            Assert.Null(DedupFile.Take(directory, Position));
            File.WriteAllBytes(path, whole[..at]);
            Assert.Null(DedupFile.Take(directory, Position));
        }

        File.WriteAllBytes(path, whole);
        Assert.NotNull(DedupFile.Take(directory, Position));
    }

    [Fact]
    public async Task Another_directorys_is_worth_nothing()
    {
        using var directory = DataDirectory.Open(_directory.Path, TimeProvider.System);
        using var others = new TempDirectory();
        using var other = DataDirectory.Open(others.Path, TimeProvider.System);
        DedupFile.Write(other, Position, await (await WithKeysAsync(10)).Window.LeaveAsync(default));
        File.Copy(Path.Combine(others.Path, DedupFile.Name), Path.Combine(_directory.Path, DedupFile.Name));
        Assert.Null(DedupFile.Take(directory, Position));
    }

    [Fact]
    public async Task Past_the_bound_of_the_filters_the_oldest_are_forgotten()
    {
        using var directory = DataDirectory.Open(_directory.Path, TimeProvider.System);
        var before = await WithKeysAsync(5_000, maxEntries: 1_000);
        DedupFile.Write(directory, Position, await before.Window.LeaveAsync(before.Last));
        var after = new WindowUnderTest(1_000, filterBytes: 4_096, startsAt: before.Clock.GetUtcNow() + Minute);
        after.Window.Restore(DedupFile.Take(directory, Position)!);
        Assert.InRange(after.Window.KnownSinceMs, before.Now - 3_000, before.Now - 500);
        Assert.False(after.IsNewFor(after.Window.KnownSinceMs, 4_999));
        Assert.False(after.IsNewFor(after.Window.KnownSinceMs - 1));

        var none = new WindowUnderTest(1_000, filterBytes: 0, startsAt: before.Clock.GetUtcNow() + Minute);
        DedupFile.Write(directory, Position, await before.Window.LeaveAsync(before.Last));
        none.Window.Restore(DedupFile.Take(directory, Position)!);
        Assert.False(none.IsNewFor(before.Now));
        Assert.True(none.IsNewFor(before.Now + 1)); // nothing was accepted between the two
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    /// <summary>A window that has seen keys from 0 on, one a millisecond.</summary>
    private static async Task<WindowUnderTest> WithKeysAsync(int count, int maxEntries = 100_000)
    {
        var test = new WindowUnderTest(maxEntries);
        for (var key = 0; key < count; key++)
        {
            test.Clock.Advance(TimeSpan.FromMilliseconds(1));
            test.Publish(key);
        }

        test.Store(test.Last.High);
        test.Window.Maintain();
        await test.Window.Maintenance;
        return test;
    }
}
