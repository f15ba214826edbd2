using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>What it means that a shard's checkpoint could not be moved.</summary>
internal static class CheckpointMismatch
{
    /// <summary>
    /// Returns when the checkpoint already stands at <paramref name="next"/>: an earlier call committed and its reply was lost. Throws
    /// <see cref="StoreFailure.Fenced"/> when another server holds the shard, else <see cref="StoreFailure.Fault"/>: the database was set
    /// back or changed by hand.
    /// </summary>
    /// <param name="claim">The writer's claim.</param>
    /// <param name="next">Where the writer wanted to move it.</param>
    /// <param name="epoch">The stored epoch; null when the shard has no row.</param>
    /// <param name="storedThrough">The stored checkpoint; zero when there is none yet.</param>
    public static void Explain(ShardClaim claim, Checkpoint next, long? epoch, EventId storedThrough)
    {
        if (epoch == claim.Epoch && storedThrough == next.Id) return;
        if (epoch > claim.Epoch)
        {
            throw new StoreException(
                StoreFailure.Fenced,
                $"Another server has taken over shard {claim.Shard} (epoch {epoch}, ours was {claim.Epoch}): "
                + "stop this one or give it a database of its own.");
        }

        if (epoch is null || epoch < claim.Epoch || storedThrough < next.Id)
        {
            throw new StoreException(
                StoreFailure.Fault,
                $"The database was set back: the checkpoint of shard {claim.Shard} is at {Place(epoch, storedThrough)}, before what was "
                + "stored already, as after a failover or a restore that lost commits. Restart the server, which stores again what the "
                + "journal still holds (Journal:RetainFor); to look first, stop it and run replay-journal.");
        }

        throw new StoreException(
            StoreFailure.Fault,
            $"The checkpoint of shard {claim.Shard} is at {Place(epoch, storedThrough)}, ahead of the batch that ends at {next.Id}: "
            + "was it changed by hand? Stop the server and run replay-journal, which tells what the store lacks.");
    }

    private static string Place(long? epoch, EventId storedThrough) =>
        epoch is null ? "no row" : storedThrough.IsZero ? "the beginning" : storedThrough.ToString();
}
