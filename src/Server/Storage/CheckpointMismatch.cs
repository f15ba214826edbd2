using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>What it means that a shard's checkpoint could not be moved.</summary>
internal static class CheckpointMismatch
{
    /// <summary>
    /// Returns when the checkpoint already stands at <paramref name="next"/>: an earlier call committed and its reply was lost. Throws
    /// <see cref="StoreFailure.Fenced"/> when another server holds the shard, else <see cref="StoreFailure.Fault"/>.
    /// </summary>
    /// <param name="claim">The writer's claim.</param>
    /// <param name="next">Where the writer wanted to move it.</param>
    /// <param name="epoch">The stored epoch; null when the shard has no row.</param>
    /// <param name="storedThrough">The stored checkpoint; zero when there is none yet.</param>
    public static void Explain(ShardClaim claim, Checkpoint next, long? epoch, Core.Events.EventId storedThrough)
    {
        if (epoch == claim.Epoch && storedThrough == next.Id) return;
        if (epoch is { } other && other != claim.Epoch)
        {
            throw new StoreException(
                StoreFailure.Fenced,
                $"Another server has taken over shard {claim.Shard} (epoch {other}, ours was {claim.Epoch}): "
                + "stop this one or give it a database of its own.");
        }

        throw new StoreException(
            StoreFailure.Fault,
            $"The checkpoint of shard {claim.Shard} is at {(epoch is null ? "no row" : storedThrough.ToString())}, "
            + $"which is neither before nor after the batch that ends at {next.Id}: was the database restored from a backup? "
            + "Restart the server so that it reads the journal again from there.");
    }
}
