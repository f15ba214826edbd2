using System.Globalization;
using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Drops partitions of <c>events</c> that are past every retention.</summary>
internal sealed class PostgresDays(PostgresDatabase database)
{
    /// <summary>
    /// Dropping a partition locks the whole table for a moment, and whoever comes after waits behind us while we wait for a long query:
    /// not for longer than this; the next turn tries again.
    /// </summary>
    private const string Patience = """
        SET LOCAL lock_timeout = '1s'
        """;

    private const string Existing = """
        SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass
        """;

    /// <summary>Days that end at or before an id.</summary>
    public async Task<IReadOnlyList<DateOnly>> EndedAsync(EventId before, CancellationToken cancellationToken)
    {
        var names = await database.QueryAsync(Existing, _ => { }, row => row.GetString(0), cancellationToken);
        return [.. names.Select(DayOf).OfType<DateOnly>().Where(day => PostgresPartitions.BoundOf(day.AddDays(1)) <= before).Order()];
    }

    /// <summary>The organizations that have events of the day.</summary>
    public Task<List<int>> OrganizationsAsync(DateOnly day, CancellationToken cancellationToken) => database.QueryAsync(
        $"SELECT DISTINCT d.organization_no FROM {PostgresPartitions.NameOf(day)} d ORDER BY 1",
        _ => { },
        row => row.GetInt32(0), cancellationToken);

    /// <summary>
    /// Counts the day's events as expired and drops them, in one transaction: nobody writes to the day from the count on.
    /// </summary>
    public async Task<long> DropAsync(DateOnly day, CancellationToken cancellationToken)
    {
        var name = PostgresPartitions.NameOf(day);
        var (number, end) = (
            day.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber, PostgresPartitions.BoundOf(day.AddDays(1)));
        return await database.RunInTransactionAsync(
            async connection =>
            {
                await using var batch = new NpgsqlBatch(connection);
                batch.Add(Patience);
                batch.Add($"LOCK TABLE {name} IN SHARE MODE");
                batch.Add($"""
                    INSERT INTO ledger_days AS l (organization_no, day, kind, events)
                    SELECT d.organization_no, $1, $2, count(*) FROM {name} d GROUP BY d.organization_no ORDER BY d.organization_no
                    ON CONFLICT (organization_no, day, kind) DO UPDATE SET events = l.events + excluded.events
                    """).With(number).With((short)LedgerKind.Expired);
                batch.Add($"""
                    INSERT INTO expirations AS x (organization_no, expired_through)
                    SELECT DISTINCT d.organization_no, $1::uuid FROM {name} d ORDER BY d.organization_no
                    ON CONFLICT (organization_no) DO UPDATE SET expired_through = greatest(x.expired_through, excluded.expired_through)
                    """).With(end);
                batch.Add($"SELECT count(*) FROM {name}");
                var dropped = 0L;
                await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
                {
                    while (await reader.ReadAsync(cancellationToken)) dropped = reader.GetInt64(0);
                }

                await using var drop = new NpgsqlCommand($"DROP TABLE {name}", connection);
                await drop.ExecuteNonQueryAsync(cancellationToken);
                return dropped;
            },
            cancellationToken);
    }

    /// <summary>Null for a partition that is not of our making.</summary>
    private static DateOnly? DayOf(string name) =>
        DateOnly.TryParseExact(name, "'events_'yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
