using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>The rule about schemas of another version.</summary>
internal static class SchemaVersion
{
    /// <summary>
    /// Refuses a schema that a newer server has made: what its columns mean is not known here. Throws <see cref="StoreFailure.Fault"/>.
    /// </summary>
    public static void Check(int version, IReadOnlyList<Migration> known)
    {
        var newest = known[^1].Version;
        if (version <= newest) return;
        throw new StoreException(
            StoreFailure.Fault,
            $"The database's schema has version {version}, this server knows versions up to {newest}: "
            + "start the newer server again, or restore a backup from before its upgrade.");
    }
}
