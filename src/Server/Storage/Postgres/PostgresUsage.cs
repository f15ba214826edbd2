using Npgsql;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Usage in Postgres.</summary>
internal sealed class PostgresUsage(PostgresDatabase database) : IUsageStore
{
    /// <summary>In the order of their keys, so that two writers cannot deadlock.</summary>
    private const string AddSql = """
        INSERT INTO usage_days AS u (organization_no, day, kind, source, events, bytes)
        SELECT n.organization_no, n.day, n.kind, $4, n.events, n.bytes
        FROM unnest($1::integer[], $2::integer[], $3::smallint[], $5::bigint[], $6::bigint[]) AS n (organization_no, day, kind, events, bytes)
        ORDER BY n.organization_no, n.day, n.kind
        ON CONFLICT (organization_no, day, kind, source) DO UPDATE
        SET events = u.events + excluded.events, bytes = u.bytes + excluded.bytes
        """;

    /// <summary>
    /// The same for organizations that are there: what is counted in memory may come when one is erased already. Erasing takes the locked
    /// rows first, so the sums are there before it, and go with it, or do not come.
    /// </summary>
    private const string AddKnown = """
        INSERT INTO usage_days AS u (organization_no, day, kind, source, events, bytes)
        SELECT n.organization_no, n.day, n.kind, $4, n.events, n.bytes
        FROM unnest($1::integer[], $2::integer[], $3::smallint[], $5::bigint[], $6::bigint[])
             AS n (organization_no, day, kind, events, bytes)
        JOIN (SELECT o.organization_no FROM organizations o WHERE o.organization_no = ANY ($1) ORDER BY o.organization_no FOR KEY SHARE) k
          ON k.organization_no = n.organization_no
        ORDER BY n.organization_no, n.day, n.kind
        ON CONFLICT (organization_no, day, kind, source) DO UPDATE
        SET events = u.events + excluded.events, bytes = u.bytes + excluded.bytes
        """;

    private const string Read = """
        SELECT u.day, u.kind, sum(u.events)::bigint, sum(u.bytes)::bigint
        FROM usage_days u
        WHERE u.organization_no = $1 AND u.day BETWEEN $2 AND $3
        GROUP BY u.day, u.kind
        """;

    /// <summary>Kind 2 is a part of kind 1 and counts for no quota.</summary>
    private const string ReadQuota = """
        SELECT u.organization_no,
               coalesce(sum(CASE u.kind WHEN 1 THEN u.events ELSE -u.events END) FILTER (WHERE u.source = $3), 0)::bigint,
               coalesce(sum(CASE u.kind WHEN 1 THEN u.events ELSE -u.events END) FILTER (WHERE u.source <> $3), 0)::bigint
        FROM usage_days u
        WHERE u.day BETWEEN $1 AND $2 AND u.kind IN (1, 2) AND ($4::integer[] IS NULL OR u.organization_no = ANY ($4))
        GROUP BY u.organization_no
        """;

    /// <summary>A claim whose server has died is taken over after a minute; of an organization that is erased nothing comes.</summary>
    private const string Claim = """
        INSERT INTO usage_news AS n (organization_no, news, claimed_at)
        SELECT o.organization_no, $2, $3 FROM organizations o WHERE o.organization_no = $1 FOR KEY SHARE
        ON CONFLICT (organization_no, news) DO UPDATE SET claimed_at = excluded.claimed_at
        WHERE (n.told_at IS NULL OR n.told_at < $4) AND n.claimed_at < $5
        """;

    /// <summary>Adds the statement that adds the sums, unless there are none.</summary>
    public static void Add(NpgsqlBatch batch, IReadOnlyList<UsageSum> sums, Guid source) => Add(batch, AddSql, sums, source);

    private static void Add(NpgsqlBatch batch, string sql, IReadOnlyList<UsageSum> sums, Guid source)
    {
        if (sums.Count == 0) return;
        batch.Add(sql).With(sums.Select(static sum => sum.OrganizationNo).ToArray()).With(sums.Select(static sum => sum.Day).ToArray())
            .With(sums.Select(static sum => (short)sum.Kind).ToArray()).With(source)
            .With(sums.Select(static sum => sum.Events).ToArray()).With(sums.Select(static sum => sum.Bytes).ToArray());
    }

    /// <inheritdoc/>
    public Task AddAsync(IReadOnlyList<UsageSum> sums, CancellationToken cancellationToken) =>
        sums.Count == 0 ? Task.CompletedTask : database.RunAsync(
            async connection =>
            {
                await using var batch = new NpgsqlBatch(connection);
                Add(batch, AddKnown, sums, Guid.Empty);
                return await batch.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UsageSum>> ReadAsync(int organizationNo, int fromDay, int toDay, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Read,
            parameters => parameters.With(organizationNo).With(fromDay).With(toDay),
            row => new UsageSum(organizationNo, row.GetInt32(0), (UsageKind)row.GetInt16(1), row.GetInt64(2), row.GetInt64(3)),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<QuotaSum>> ReadQuotaAsync(
        int[]? organizationNos, int fromDay, int toDay, Guid journalId, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            ReadQuota,
            parameters => parameters.With(fromDay).With(toDay).With(journalId).With(organizationNos),
            row => new QuotaSum(row.GetInt32(0), row.GetInt64(1), row.GetInt64(2)),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> ClaimNewsAsync(
        int organizationNo, UsageNews news, DateTimeOffset toldBefore, DateTimeOffset now, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            Claim,
            parameters =>
                parameters.With(organizationNo).With((short)news).With(now).With(toldBefore).With(now - UsageNewsTimes.ClaimLasts),
            cancellationToken) > 0;

    /// <inheritdoc/>
    public Task NoteToldAsync(int organizationNo, UsageNews news, DateTimeOffset at, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            UsageStatements.Told, parameters => parameters.With(organizationNo).With((short)news).With(at), cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UsageDifference>> FindDifferencesAsync(int fromDay, int limit, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            UsageStatements.Differences,
            parameters => parameters.With(fromDay).With(limit),
            row => new UsageDifference(row.GetInt32(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3)),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> ForgetAsync(int beforeDay, int limit, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            UsageStatements.Forget, parameters => parameters.With(beforeDay).With(limit), cancellationToken) == limit;
}
