using System.Buffers.Binary;
using CsCheck;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// What a power cut leaves: all that was flushed, and of the rest any mixture. Some pages of the ring are as they were earlier, of the
/// newest segment's bytes behind
/// the last flush some pages are zeros.
/// </summary>
public sealed class PowerCutTests : IDisposable
{
    private const int PageBytes = 4096;
    private readonly TempDirectory _directory = new();
    private int _number;

    [Fact]
    public void What_was_synced_is_recovered_and_nothing_is_altered_or_out_of_order() =>
        Gen.Select(
            Gen.Int[0, 1_500], Gen.Int[0, 1_500], Gen.Int[0, 400], Gen.Int[0, 2_000], Gen.Int[0, 100], Gen.Int[0, int.MaxValue]).Sample(
            (before, between, unsynced, payloadBytes, percentLost, random) =>
                CutAsync(before, between, unsynced, payloadBytes, percentLost, new Random(random)).GetAwaiter().GetResult(),
            iter: 25,
            threads: 1);

    public void Dispose() => _directory.Dispose();

    private async Task CutAsync(int before, int between, int unsynced, int payloadBytes, int percentLost, Random random)
    {
        var (from, to) = (_directory.At($"{++_number}"), _directory.At($"{_number}-cut"));
        using var journal = new JournalUnderTest(from, options: JournalUnderTest.Lazy);
        journal.Append(before, payloadBytes);
        if (before > 0) await journal.SyncAsync();
        var earlier = File.ReadAllBytes(Path.Combine(from, "journal", "ring"));
        journal.Append(between, payloadBytes);
        if (between > 0) await journal.SyncAsync();
        journal.Append(unsynced, payloadBytes);
        var synced = journal.Journal.Synced.Position;
        Snapshot.Take(from, to);
        LoseTail(to, percentLost, random);
        Revert(Path.Combine(to, "journal", "ring"), earlier, percentLost, random);

        using var started = new JournalUnderTest(to);
        var recovered = started.ReadAll();
        var mustHave = journal.Appended.TakeWhile(item => item.Id.High <= synced).ToList();
        Assert.Equal(mustHave, recovered.Take(mustHave.Count));
        Assert.Equal(journal.Appended.Where(recovered.ToHashSet().Contains), recovered);
        Assert.Equal(recovered, started.Unstored);

        // And once more, with events on top: the damage is not met again.
        started.Append(20, payloadBytes);
        started.Dispose();
        using var again = new JournalUnderTest(to);
        Assert.Equal(recovered.Concat(started.Appended), again.ReadAll());
        Directory.Delete(to, recursive: true);
    }

    private static void Revert(string path, byte[] earlier, int percent, Random random)
    {
        using var ring = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        for (var page = 0; page < earlier.Length; page += PageBytes)
        {
            if (random.Next(100) < percent) RandomAccess.Write(ring, earlier.AsSpan(page, PageBytes), page);
        }
    }

    /// <summary>The copied ring says what was flushed when it was copied.</summary>
    private static void LoseTail(string directory, int percent, Random random)
    {
        var ring = File.ReadAllBytes(Path.Combine(directory, "journal", "ring"));
        var synced = BinaryPrimitives.ReadInt64LittleEndian(ring.AsSpan(RingFile.MarkSequenceOffset));
        var path = Snapshot.Segments(directory)[^1];
        var bytes = File.ReadAllBytes(path);
        var end = Segment.HeaderLength;
        while (end < bytes.Length && bytes[end..(end + 8)].Any(value => value != 0) && Frame.PeekSequence(bytes.AsSpan(end)) <= synced)
            end += Frame.PeekLength(bytes.AsSpan(end));
        for (var at = end; at < bytes.Length; at += PageBytes - (at % PageBytes))
        {
            if (random.Next(100) < percent) bytes.AsSpan(at, Math.Min(PageBytes - (at % PageBytes), bytes.Length - at)).Clear();
        }

        File.WriteAllBytes(path, bytes);
    }
}
