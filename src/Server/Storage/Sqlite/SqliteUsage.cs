using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Usage in SQLite.</summary>
internal sealed class SqliteUsage(SqliteDatabase database) : IUsageStore
{
    private const string AddSql = """
        INSERT INTO usage_days (organization_no, day, kind, source, events, bytes)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (organization_no, day, kind, source) DO UPDATE SET events = events + excluded.events, bytes = bytes + excluded.bytes
        """;

    /// <summary>The same unless the organization is erased: what is counted in memory may come later than that.</summary>
    private const string AddKnown = """
        INSERT INTO usage_days (organization_no, day, kind, source, events, bytes)
        SELECT $1, $2, $3, $4, $5, $6
        WHERE EXISTS (SELECT 1 FROM organizations o WHERE o.organization_no = $1)
        ON CONFLICT (organization_no, day, kind, source) DO UPDATE SET events = events + excluded.events, bytes = bytes + excluded.bytes
        """;

    private const string Read = """
        SELECT u.day, u.kind, sum(u.events), sum(u.bytes)
        FROM usage_days u
        WHERE u.organization_no = $1 AND u.day BETWEEN $2 AND $3
        GROUP BY u.day, u.kind
        """;

    /// <summary>Kind 2 is a part of kind 1 and counts for no quota.</summary>
    private const string ReadQuota = """
        SELECT u.organization_no,
               coalesce(sum(CASE u.kind WHEN 1 THEN u.events ELSE -u.events END) FILTER (WHERE u.source = $3), 0),
               coalesce(sum(CASE u.kind WHEN 1 THEN u.events ELSE -u.events END) FILTER (WHERE u.source <> $3), 0)
        FROM usage_days u
        WHERE u.day BETWEEN $1 AND $2 AND u.kind IN (1, 2)
        GROUP BY u.organization_no
        """;

    /// <summary>A claim whose server has died is taken over after a minute; of an organization that is erased nothing comes.</summary>
    private const string Claim = """
        INSERT INTO usage_news (organization_no, news, claimed_at)
        SELECT o.organization_no, $2, $3 FROM organizations o WHERE o.organization_no = $1
        ON CONFLICT (organization_no, news) DO UPDATE SET claimed_at = excluded.claimed_at
        WHERE (told_at IS NULL OR told_at < $4) AND claimed_at < $5
        """;

    /// <summary>Adds to the sums, in the caller's transaction on the writing thread.</summary>
    public static void Add(SqliteConnection connection, IReadOnlyList<UsageSum> sums, Guid source) => Add(connection, AddSql, sums, source);

    private static void Add(SqliteConnection connection, string sql, IReadOnlyList<UsageSum> sums, Guid source)
    {
        if (sums.Count == 0) return;
        using var add = new SqliteStatement(connection, sql);
        foreach (var sum in sums) add.Execute(sum.OrganizationNo, sum.Day, sum.Kind, source, sum.Events, sum.Bytes);
    }

    /// <inheritdoc/>
    public Task AddAsync(IReadOnlyList<UsageSum> sums, CancellationToken cancellationToken) =>
        sums.Count == 0 ? Task.CompletedTask : database.WriteAsync(
            connection =>
            {
                Add(connection, AddKnown, sums, Guid.Empty);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UsageSum>> ReadAsync(int organizationNo, int fromDay, int toDay, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<UsageSum>>(
            connection => connection.Query(
                Read,
                row => new UsageSum(organizationNo, row.GetInt32(0), (UsageKind)row.GetInt32(1), row.GetInt64(2), row.GetInt64(3)),
                organizationNo,
                fromDay,
                toDay),
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<QuotaSum>> ReadQuotaAsync(
        int[]? organizationNos, int fromDay, int toDay, Guid journalId, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<QuotaSum>>(
            connection =>
            {
                var sums = connection.Query(
                    ReadQuota, row => new QuotaSum(row.GetInt32(0), row.GetInt64(1), row.GetInt64(2)), fromDay, toDay, journalId);
                return organizationNos is null ? sums : [.. sums.Where(sum => organizationNos.Contains(sum.OrganizationNo))];
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ClaimNewsAsync(
        int organizationNo, UsageNews news, DateTimeOffset toldBefore, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.Execute(Claim, organizationNo, news, now, toldBefore, now - UsageNewsTimes.ClaimLasts) > 0,
            cancellationToken);

    /// <inheritdoc/>
    public Task NoteToldAsync(int organizationNo, UsageNews news, DateTimeOffset at, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(UsageStatements.Told, organizationNo, news, at), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UsageDifference>> FindDifferencesAsync(int fromDay, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<UsageDifference>>(
            connection => connection.Query(
                UsageStatements.Differences, row =>
                    new UsageDifference(row.GetInt32(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3)), fromDay, limit),
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ForgetAsync(int beforeDay, int limit, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(UsageStatements.Forget, beforeDay, limit) == limit, cancellationToken);
}
