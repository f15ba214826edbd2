using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>The rule about schemas of another version.</summary>
internal static class SchemaVersion
{
    /// <summary>
    /// Stands in the database while a move fills it. No version comes near it, so that servers of every version refuse such a database.
    /// </summary>
    public const int BeingFilled = 2_000_000_000;

    /// <summary>
    /// Refuses a schema that a newer server has made: what its columns mean is not known here. Throws <see cref="StoreFailure.Fault"/>.
    /// </summary>
    public static void Check(int version, IReadOnlyList<Migration> known)
    {
        var newest = known[^1].Version;
        if (version <= newest) return;
        if (version == BeingFilled)
        {
            throw new StoreException(
                StoreFailure.Fault,
                "The database is being filled by move-to-postgres, which has not ended: run it again with --continue, or start with SQLite "
                + "as before and give the move an empty database later.");
        }

        throw new StoreException(
            StoreFailure.Fault,
            $"The database's schema has version {version}, this server knows versions up to {newest}: "
            + "start the newer server again, or restore a backup from before its upgrade.");
    }
}
