namespace ZapierTriggers.Server.Storage;

/// <summary>Statements of retention in the SQL that both stores speak.</summary>
internal static class RetentionStatements
{
    /// <summary>
    /// Removes what hangs on events that are gone already (a result that was recorded late, or a dropped day's): organization, before which
    /// event, so many rows. Retries come first.
    /// </summary>
    public static readonly string[] Sweeps =
    [
        """
        DELETE FROM retries WHERE organization_no = $1 AND (endpoint_id, event_id) IN
            (SELECT r.endpoint_id, r.event_id FROM retries r WHERE r.organization_no = $1 AND r.event_id < $2 LIMIT $3)
        """,
        """
        DELETE FROM attempts WHERE organization_no = $1 AND (event_id, endpoint_id, number) IN
            (SELECT t.event_id, t.endpoint_id, t.number FROM attempts t WHERE t.organization_no = $1 AND t.event_id < $2 LIMIT $3)
        """,
        """
        DELETE FROM outcomes WHERE organization_no = $1 AND (event_id, endpoint_id) IN
            (SELECT o.event_id, o.endpoint_id FROM outcomes o WHERE o.organization_no = $1 AND o.event_id < $2 LIMIT $3)
        """,
        """
        DELETE FROM acks WHERE organization_no = $1 AND event_id IN
            (SELECT a.event_id FROM acks a WHERE a.organization_no = $1 AND a.event_id < $2 LIMIT $3)
        """,
    ];

    /// <summary>Forgets the dedup ids and payloads' hashes of erased events before an event.</summary>
    public const string ForgetHashes = """
        UPDATE erased_events SET dedup_hash = NULL, payload_hash = 0 WHERE dedup_hash IS NOT NULL AND id < $1
        """;
}
