namespace ZapierTriggers.Server.Storage;

/// <summary>
/// What removes an organization's rows from every table, in statements that both stores take: <c>$1</c> is its number, <c>$2</c> how many
/// rows at once.
/// </summary>
internal static class OrganizationTables
{
    /// <summary>Large tables, in pieces; the first holds the events.</summary>
    public static readonly string[] Pieces =
    [
        """
        DELETE FROM events WHERE organization_no = $1 AND id IN
            (SELECT e.id FROM events e WHERE e.organization_no = $1 ORDER BY e.id LIMIT $2)
        """,
        """
        DELETE FROM retries WHERE organization_no = $1 AND (endpoint_id, event_id) IN
            (SELECT r.endpoint_id, r.event_id FROM retries r WHERE r.organization_no = $1 LIMIT $2)
        """,
        """
        DELETE FROM attempts WHERE organization_no = $1 AND (event_id, endpoint_id, number) IN
            (SELECT t.event_id, t.endpoint_id, t.number FROM attempts t WHERE t.organization_no = $1 LIMIT $2)
        """,
        """
        DELETE FROM outcomes WHERE organization_no = $1 AND (event_id, endpoint_id) IN
            (SELECT o.event_id, o.endpoint_id FROM outcomes o WHERE o.organization_no = $1 LIMIT $2)
        """,
        """
        DELETE FROM acks WHERE organization_no = $1 AND event_id IN (SELECT a.event_id FROM acks a WHERE a.organization_no = $1 LIMIT $2)
        """,
        """
        DELETE FROM quarantine WHERE organization_no = $1 AND id IN
            (SELECT q.id FROM quarantine q WHERE q.organization_no = $1 ORDER BY q.id LIMIT $2)
        """,
        """
        DELETE FROM erased_events WHERE organization_no = $1 AND id IN
            (SELECT x.id FROM erased_events x WHERE x.organization_no = $1 LIMIT $2)
        """,
    ];

    /// <summary>
    /// All that is kept: that whatever the number's events were, they are over (<c>$2</c> is past every id). A journal of another data
    /// directory may still hold some, and must not bring them back. Nothing leads from a number to an organization any more.
    /// </summary>
    public const string KeepNumber = "INSERT INTO expirations (organization_no, expired_through) VALUES ($1, $2)";

    /// <summary>Small ones, and at the very end those that say that there is such an organization.</summary>
    public static readonly string[] Rest =
    [
        "DELETE FROM lanes WHERE organization_no = $1",
        "DELETE FROM endpoint_filters WHERE organization_no = $1",
        "DELETE FROM endpoints WHERE organization_no = $1",
        "DELETE FROM replay_jobs WHERE organization_no = $1",
        "DELETE FROM expirations WHERE organization_no = $1",
        "DELETE FROM ledger_days WHERE organization_no = $1",
        "DELETE FROM usage_days WHERE organization_no = $1",
        "DELETE FROM usage_news WHERE organization_no = $1",
        "DELETE FROM api_keys WHERE organization_no = $1",
        "DELETE FROM erasures WHERE organization_no = $1",
        "DELETE FROM organizations WHERE organization_no = $1",
        "DELETE FROM inbox_marks WHERE organization_no = $1", // behind all others: its row is a transaction's last lock
    ];
}
