using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Server.Cli;

/// <summary>Stores what the journal of a stopped server holds and the store does not, ring and all, as its next start would.</summary>
internal static class JournalDrain
{
    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Returns the events stored. Throws <see cref="JournalException"/> when the journal cannot be used as it is, with the remedy, and
    /// <see cref="StoreException"/> when the store does not take everything.
    /// </summary>
    public static async Task<long> RunAsync(
        DataDirectory directory, StoreSet stores, ServerSettings settings, CancellationToken cancellationToken)
    {
        var parts = new ShardParts(stores.Events, static _ => { }, TimeProvider.System, NullLogger.Instance)
        {
            StoredLate = (earliest, cancelled) => LaneRewind.RunAsync(stores.Deliveries, earliest, cancelled),
        };
        var memory = MemoryShares.OfThisProcess;
        await using var shard = await Shard.OpenAsync(
            directory, parts, memory.Cap(settings.Journal), memory.Cap(settings.Ingest), memory.Cap(settings.Dedup), cancellationToken);
        await shard.StopAsync(AtMost);
        var recovered = shard.Recovered;
        if (recovered.Events == 0 || shard.Writer.Stored.Position >= recovered.LastId.High) return recovered.Events;
        throw new StoreException(
            StoreFailure.Fault,
            $"The journal could not be stored in SQLite first: {shard.Writer.Trouble ?? "it took too long"} Start the server, let it become ready, "
            + "stop it with SIGTERM, and try again.");
    }
}
