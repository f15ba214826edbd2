namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on usage in the SQL that both stores speak.</summary>
internal static class UsageStatements
{
    /// <summary>News that was told: organization, which, when.</summary>
    public const string Told = """
        UPDATE usage_news SET told_at = $3 WHERE organization_no = $1 AND news = $2
        """;

    /// <summary>Days from a day on whose accepted events are not the ledger's, so many of them.</summary>
    public const string Differences = """
        SELECT d.organization_no, d.day, d.ledger, d.usage
        FROM (SELECT a.organization_no, a.day, CAST(sum(a.ledger) AS bigint) AS ledger, CAST(sum(a.usage) AS bigint) AS usage
              FROM (SELECT l.organization_no, l.day, l.events AS ledger, 0 AS usage FROM ledger_days l WHERE l.kind = 1 AND l.day >= $1
                    UNION ALL
                    SELECT u.organization_no, u.day, 0, u.events FROM usage_days u WHERE u.kind = 1 AND u.day >= $1) a
              GROUP BY a.organization_no, a.day) d
        WHERE d.ledger <> d.usage
        ORDER BY d.organization_no, d.day
        LIMIT $2
        """;

    /// <summary>Forgets days before a day, so many rows of them.</summary>
    public const string Forget = """
        DELETE FROM usage_days WHERE (organization_no, day, kind, source) IN
            (SELECT u.organization_no, u.day, u.kind, u.source FROM usage_days u WHERE u.day < $1 LIMIT $2)
        """;
}
