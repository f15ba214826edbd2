namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on erasures for late journals, in the SQL that both stores speak.</summary>
internal static class LateErasureStatements
{
    /// <summary>
    /// Keeps what an erasure means (<c>$3</c>) where there is, or was, another journal than the holder's: one that may hold unstored events from
    /// before the erasure was there before it.
    /// </summary>
    public const string Keep = """
        UPDATE erasures SET late = $3 WHERE organization_no = $1 AND id = $2 AND (SELECT count(*) FROM shards) > 1
        """;
}
