using System.Data;
using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>The ledger in Postgres.</summary>
internal sealed class PostgresLedger(PostgresDatabase database) : ILedgerStore
{
    /// <summary>Counting tens of millions of rows takes longer than other calls may.</summary>
    private const int CountSeconds = 120;

    private const string Sums = """
        SELECT l.kind, sum(l.events)::bigint FROM ledger_days l WHERE l.organization_no = $1 GROUP BY l.kind
        """;

    private const string Places = $"""
        SELECT {LedgerRows.Counts}, (SELECT count(*) FROM quarantine q WHERE q.organization_no = $1)
        FROM (SELECT a.event_id IS NOT NULL AS acknowledged, coalesce(o.delivered, false) AS delivered, coalesce(o.dead, false) AS dead,
                     r.event_id IS NOT NULL AS retrying
              FROM events e
              LEFT JOIN acks a ON a.organization_no = $1 AND a.event_id = e.id
              LEFT JOIN (SELECT d.event_id, bool_or(d.status = 1) AS delivered, bool_or(d.status = 3) AS dead
                         FROM outcomes d
                         WHERE d.organization_no = $1
                         GROUP BY d.event_id) o ON o.event_id = e.id
              LEFT JOIN (SELECT DISTINCT w.event_id FROM retries w WHERE w.organization_no = $1) r ON r.event_id = e.id
              WHERE e.organization_no = $1) s
        """;

    private const string TotalSums = """
        SELECT t.kind, sum(t.events)::bigint FROM ledger_days t GROUP BY t.kind
        """;

    private const string TotalPlaces = $"""
        SELECT {LedgerRows.Counts}, (SELECT count(*) FROM quarantine q)
        FROM (SELECT a.event_id IS NOT NULL AS acknowledged, coalesce(o.delivered, false) AS delivered, coalesce(o.dead, false) AS dead,
                     r.event_id IS NOT NULL AS retrying
              FROM events e
              LEFT JOIN acks a ON a.organization_no = e.organization_no AND a.event_id = e.id
              LEFT JOIN (SELECT d.organization_no, d.event_id, bool_or(d.status = 1) AS delivered, bool_or(d.status = 3) AS dead
                         FROM outcomes d
                         GROUP BY d.organization_no, d.event_id) o ON o.organization_no = e.organization_no AND o.event_id = e.id
              LEFT JOIN (SELECT DISTINCT w.organization_no, w.event_id FROM retries w) r
                     ON r.organization_no = e.organization_no AND r.event_id = e.id) s
        """;

    private const string Differences = """
        SELECT d.organization_no, d.day, d.accepted, d.present, d.removed
        FROM (SELECT u.organization_no, u.day, sum(u.accepted)::bigint AS accepted, sum(u.present)::bigint AS present,
                     sum(u.removed)::bigint AS removed
              FROM (SELECT l.organization_no, l.day, CASE WHEN l.kind = 1 THEN l.events ELSE 0 END AS accepted, 0 AS present,
                           CASE WHEN l.kind > 1 THEN l.events ELSE 0 END AS removed
                    FROM ledger_days l
                    UNION ALL
                    SELECT p.organization_no, (('x' || left(replace(p.id::text, '-', ''), 12))::bit(48)::bigint / 86400000)::integer,
                           0, count(*), 0
                    FROM (SELECT e.organization_no, e.id FROM events e
                          UNION ALL
                          SELECT q.organization_no, q.id FROM quarantine q) p
                    GROUP BY 1, 2) u
              GROUP BY u.organization_no, u.day) d
        WHERE d.accepted <> d.present + d.removed
        ORDER BY d.organization_no, d.day
        LIMIT $1
        """;

    /// <inheritdoc/>
    public Task<Ledger> ReadAsync(int organizationNo, CancellationToken cancellationToken) => database.RunAsync(
        connection => ReadAsync(
            connection,
            batch =>
            {
                batch.Add(Sums).With(organizationNo);
                batch.Add(Places).With(organizationNo);
            },
            cancellationToken),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<Ledger> ReadTotalsAsync(CancellationToken cancellationToken)
    {
        Ledger? totals = null;
        await database.RunAloneAsync(
            async connection => totals = await ReadAsync(
                connection,
                static batch =>
                {
                    batch.Add(TotalSums);
                    batch.Add(TotalPlaces);
                },
                cancellationToken),
            cancellationToken);
        return totals!;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LedgerDifference>> FindDifferencesAsync(int limit, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<LedgerDifference>>(
            async connection =>
            {
                await using var command = new NpgsqlCommand(Differences, connection) { CommandTimeout = 0 };
                command.Parameters.With(limit);
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                return await reader.ReadAllAsync(
                    row => new LedgerDifference(row.GetInt32(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)),
                    cancellationToken);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Table, long Rows)>> FindOrphansAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<(string, long)>>(
            async connection =>
            {
                var orphans = new List<(string, long)>();
                foreach (var table in LedgerRows.Hanging)
                {
                    await using var command = new NpgsqlCommand(LedgerRows.OrphansOf(table), connection) { CommandTimeout = 0 };
                    var rows = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
                    if (rows > 0) orphans.Add((table, rows));
                }

                return orphans;
            },
            cancellationToken);

    /// <summary>Both statements see the same moment.</summary>
    private static async Task<Ledger> ReadAsync(NpgsqlConnection connection, Action<NpgsqlBatch> add, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { Timeout = CountSeconds };
        add(batch);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var sums = new Dictionary<LedgerKind, long>();
        while (await reader.ReadAsync(cancellationToken)) sums[(LedgerKind)reader.GetInt16(0)] = reader.GetInt64(1);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return LedgerRows.Of(sums, reader.GetInt64);
    }
}
