using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>One request and what is known of its answer; 32 bytes.</summary>
/// <param name="Id">The id in the answer; zero if it named none.</param>
/// <param name="SentMicroseconds">When it was sent, from the start of its run.</param>
/// <param name="Content">
/// Which event it carried (<see cref="Bodies.EventSource.ContentOf"/>); the dedup id follows from it. -1: never sent.
/// </param>
/// <param name="Status">The status of the answer; 0 if none came.</param>
internal readonly record struct LedgerEntry(EventId Id, long SentMicroseconds, int Content, ushort Status);

/// <summary>
/// The client's own account of what it sent and what it was told, by request number. Safe for any number of threads that note different
/// numbers. 10 million requests take 320 MB.
/// </summary>
internal sealed class Ledger : IRequestLedger
{
    private const int ChunkLength = 1 << 16; // 2 MB of entries.
    private const int ChunkLimit = 1 << 12; // 268 million requests.

    private readonly LedgerEntry[]?[] _chunks = new LedgerEntry[ChunkLimit][];
    private readonly Lock _growing = new();
    private long _count;

    /// <summary>One more than the highest number noted.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>All requests noted, by number.</summary>
    public IEnumerable<LedgerEntry> Entries
    {
        get
        {
            for (long number = 0; number < Count; number++)
            {
                var entry = Slot(number);
                if (entry.Content >= 0) yield return entry;
            }
        }
    }

    /// <inheritdoc/>
    public void NoteSent(long number, long content, long nanoseconds)
    {
        Slot(number) = new LedgerEntry(default, nanoseconds / 1000, checked((int)content), Status: 0);
        for (var count = Count; count <= number;)
        {
            var seen = Interlocked.CompareExchange(ref _count, number + 1, count);
            if (seen == count) break;
            count = seen;
        }
    }

    /// <inheritdoc/>
    public void NoteAnswer(long number, in Answer answer)
    {
        ref var entry = ref Slot(number);
        entry = entry with { Id = answer.Id, Status = (ushort)answer.Status };
    }

    private ref LedgerEntry Slot(long number)
    {
        var chunk = Volatile.Read(ref _chunks[number / ChunkLength]) ?? AddChunk(number / ChunkLength);
        return ref chunk[number % ChunkLength];
    }

    private LedgerEntry[] AddChunk(long index)
    {
        lock (_growing)
        {
            if (_chunks[index] is { } existing) return existing;
            var chunk = new LedgerEntry[ChunkLength];
            Array.Fill(chunk, new LedgerEntry(default, 0, Content: -1, Status: 0));
            Volatile.Write(ref _chunks[index], chunk);
            return chunk;
        }
    }
}
