using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// What the parts that grow with load may take of the memory there is, so that all of them full at the same time still leave room for the
/// rest: a refusal must come before the system ends the process. Settings can make a part smaller, not larger.
/// </summary>
/// <param name="Available">Bytes this process may use; in a container .NET tells three quarters of the container's limit.</param>
internal sealed record MemoryShares(long Available)
{
    private const long SmallBytes = 512L << 20;
    private const int BytesPerDedupId = 50;
    private const long Page = 4096;

    /// <summary>Of the machine or container that this process runs in.</summary>
    public static MemoryShares OfThisProcess => new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>
    /// Where memory is small the managed heap gets half of it instead of .NET's three quarters: what is not on the heap (the program, the
    /// mapped ring, SQLite's pages, threads) does not fit into the last quarter. To be called first of all.
    /// </summary>
    public static void LimitHeap()
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (available > SmallBytes) return;
        AppContext.SetData("GCHeapHardLimit", (ulong)(available / 3 * 2));
        GC.RefreshMemoryLimit();
    }

    /// <summary>Bytes of request bodies that are being read or wait for their answer.</summary>
    public long Bodies => Available / 8;

    /// <summary>Bytes of inbox pages that are being read or sent.</summary>
    public long Pages => Available / 8;

    /// <summary>The queue in front of the journal: at most an eighth.</summary>
    public IngestOptions Cap(IngestOptions options) => options with { QueueBytes = Math.Min(options.QueueBytes, Available / 8) };

    /// <summary>The ring, whose pages stay in memory: at most an eighth, in whole pages.</summary>
    public JournalOptions Cap(JournalOptions options) =>
        options with { RingBytes = Math.Min(options.RingBytes, Math.Max(JournalOptions.MinRingBytes, Available / 8 / Page * Page)) };

    /// <summary>
    /// The ids of the dedup window: at most an eighth, and a sixteenth for filters; the others are looked up in the store.
    /// </summary>
    public DedupOptions Cap(DedupOptions options) => options with
    {
        MaxEntries = (int)Math.Min(options.MaxEntries, Available / 8 / BytesPerDedupId),
        FilterBytes = Math.Min(options.FilterBytes, Available / 16),
    };
}
