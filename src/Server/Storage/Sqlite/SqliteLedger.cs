using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>The ledger in SQLite. A reading work sees one moment of the file.</summary>
internal sealed class SqliteLedger(SqliteDatabase database) : ILedgerStore
{
    private const string Sums = """
        SELECT l.kind, sum(l.events) FROM ledger_days l WHERE l.organization_no = $1 GROUP BY l.kind
        """;

    private const string Places = $"""
        SELECT {LedgerRows.Counts}, (SELECT count(*) FROM quarantine q WHERE q.organization_no = $1)
        FROM (SELECT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id) AS acknowledged,
                     EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.status = 1) AS delivered,
                     EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = $1 AND r.event_id = e.id) AS retrying,
                     EXISTS (SELECT 1 FROM outcomes d WHERE d.organization_no = $1 AND d.event_id = e.id AND d.status = 3) AS dead
              FROM events e
              WHERE e.organization_no = $1) s
        """;

    private const string TotalSums = """
        SELECT t.kind, sum(t.events) FROM ledger_days t GROUP BY t.kind
        """;

    private const string TotalPlaces = $"""
        SELECT {LedgerRows.Counts}, (SELECT count(*) FROM quarantine q)
        FROM (SELECT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = e.organization_no AND a.event_id = e.id) AS acknowledged,
                     EXISTS (SELECT 1 FROM outcomes o
                             WHERE o.organization_no = e.organization_no AND o.event_id = e.id AND o.status = 1) AS delivered,
                     EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = e.organization_no AND r.event_id = e.id) AS retrying,
                     EXISTS (SELECT 1 FROM outcomes d
                             WHERE d.organization_no = e.organization_no AND d.event_id = e.id AND d.status = 3) AS dead
              FROM events e) s
        """;

    private const string AllSums = """
        SELECT l.organization_no, l.day, l.kind, l.events FROM ledger_days l
        """;

    private const string AllIds = """
        SELECT e.organization_no, e.id FROM events e UNION ALL SELECT q.organization_no, q.id FROM quarantine q
        """;

    /// <inheritdoc/>
    public Task<Ledger> ReadAsync(int organizationNo, CancellationToken cancellationToken) => database.ReadAsync(
        connection =>
        {
            var sums = connection.Query(Sums, row => ((LedgerKind)row.GetInt32(0), row.GetInt64(1)), organizationNo)
                .ToDictionary(pair => pair.Item1, pair => pair.Item2);
            return connection.Query(Places, row => LedgerRows.Of(sums, row.GetInt64), organizationNo)[0];
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<Ledger> ReadTotalsAsync(CancellationToken cancellationToken) => database.ReadAsync(
        connection =>
        {
            var sums = connection.Query(TotalSums, row => ((LedgerKind)row.GetInt32(0), row.GetInt64(1)))
                .ToDictionary(pair => pair.Item1, pair => pair.Item2);
            return connection.Query(TotalPlaces, row => LedgerRows.Of(sums, row.GetInt64))[0];
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<LedgerDifference>> FindDifferencesAsync(int limit, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<LedgerDifference>>(
            connection =>
            {
                var days = new Dictionary<(int No, int Day), LedgerDifference>();
                using (var sums = new SqliteStatement(connection, AllSums))
                {
                    using var row = sums.Open();
                    while (row.Read()) Note(row.GetInt32(0), row.GetInt32(1), (LedgerKind)row.GetInt32(2), row.GetInt64(3));
                }

                using (var ids = new SqliteStatement(connection, AllIds))
                {
                    using var row = ids.Open();
                    while (row.Read()) Note(row.GetInt32(0), LedgerCount.DayOf(row.GetEventId(1)), kind: null, 1);
                }

                return [.. days.Values.Where(one => one.Accepted != one.Present + one.Removed)
                    .OrderBy(one => one.OrganizationNo).ThenBy(one => one.Day).Take(limit)];

                void Note(int no, int day, LedgerKind? kind, long events)
                {
                    var known = days.GetValueOrDefault((no, day), new LedgerDifference(no, day, 0, 0, 0));
                    days[(no, day)] = kind switch
                    {
                        null => known with { Present = known.Present + events },
                        LedgerKind.Accepted => known with { Accepted = known.Accepted + events },
                        _ => known with { Removed = known.Removed + events },
                    };
                }
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Table, long Rows)>> FindOrphansAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<(string, long)>>(
            connection => [.. LedgerRows.Hanging
                .Select(table => (table, connection.Query(LedgerRows.OrphansOf(table), row => row.GetInt64(0))[0]))
                .Where(pair => pair.Item2 > 0)],
            cancellationToken);
}
