using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Core.Journal;

/// <summary>The blocks of a segment to come, under a name that recovery ignores, with a description of the file for each flusher.</summary>
/// <param name="File">For reading and writing.</param>
/// <param name="Flushers">
/// One for each thread that flushes. Linux tells a failed write-back to each open file description once: through one that they shared, only
/// the first of two threads would hear of it, and the other would take its flush for done (fsync(2); docs/decisions).
/// </param>
internal sealed record ReservedBlocks(IDiskFile File, IReadOnlyList<IDiskFile> Flushers) : IDisposable
{
    /// <summary>Closes them all.</summary>
    public void Dispose()
    {
        foreach (var flusher in Flushers) flusher.Dispose();
        File.Dispose();
    }
}
