using System.Globalization;
using Npgsql;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Makes the daily partitions of <c>events</c>. An id begins with 48 bits of milliseconds, so the bounds of a UTC day are <c>ms &lt;&lt;
/// 80</c> of its midnights. A partition is made apart and then attached, which, unlike CREATE … PARTITION OF, does not lock out those who
/// read and write the others.
/// </summary>
internal sealed class PostgresPartitions(PostgresDatabase database, TimeProvider time, int daysAhead)
{
    /// <summary>An arbitrary constant: the key of the advisory lock under which partitions are made.</summary>
    private const long LockKey = 0x7A61_705F_6461_7973;

    private const string Lock = """
        SELECT pg_advisory_xact_lock($1)
        """;

    private const string Existing = """
        SELECT c.relname::text
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events'::regclass
        """;

    private int _madeThrough;

    /// <summary>Whether the days ahead are fewer than wanted, as far as this instance knows.</summary>
    public bool IsDue => Volatile.Read(ref _madeThrough) < Today() + daysAhead;

    /// <summary>Makes today, yesterday (for what the journal still holds) and the days ahead.</summary>
    public async Task MakeAheadAsync(CancellationToken cancellationToken)
    {
        var today = Today();
        await MakeAsync([.. Enumerable.Range(today - 1, daysAhead + 2).Select(DateOnly.FromDayNumber)], cancellationToken);
        Volatile.Write(ref _madeThrough, today + daysAhead);
    }

    /// <summary>Makes the days of these events.</summary>
    public Task MakeForAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        var days = new SortedSet<DateOnly>();
        foreach (ref readonly var journaled in events.Span) days.Add(DayOf(journaled.Id));
        return MakeAsync([.. days], cancellationToken);
    }

    /// <summary>Makes these days.</summary>
    public Task MakeForAsync(IReadOnlyCollection<DateOnly> days, CancellationToken cancellationToken) => MakeAsync(days, cancellationToken);

    /// <summary>The UTC day in whose partition an id lies.</summary>
    public static DateOnly DayOf(EventId id) => DateOnly.FromDateTime(id.AcceptedAt.UtcDateTime);

    private Task<bool> MakeAsync(IReadOnlyCollection<DateOnly> days, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                await using var locked = new NpgsqlCommand(Lock, connection);
                locked.Parameters.With(LockKey);
                await locked.ExecuteNonQueryAsync(cancellationToken);

                await using var query = new NpgsqlCommand(Existing, connection);
                var existing = new HashSet<string>(StringComparer.Ordinal);
                await using (var reader = await query.ExecuteReaderAsync(cancellationToken))
                    existing.UnionWith(await reader.ReadAllAsync(row => row.GetString(0), cancellationToken));

                foreach (var day in days.Where(day => !existing.Contains(NameOf(day))))
                {
                    await using var make = new NpgsqlCommand(MakeSql(day), connection);
                    await make.ExecuteNonQueryAsync(cancellationToken);
                }

                return true;
            },
            cancellationToken);

    private static string MakeSql(DateOnly day) => $"""
        CREATE TABLE {NameOf(day)} (LIKE events INCLUDING ALL);
        ALTER TABLE events ATTACH PARTITION {NameOf(day)} FOR VALUES FROM ('{BoundOf(day)}') TO ('{BoundOf(day.AddDays(1))}')
        """;

    /// <summary>The name of a day's partition.</summary>
    public static string NameOf(DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"events_{day:yyyyMMdd}");

    /// <summary>What every id of the day and of later ones is greater than.</summary>
    public static EventId BoundOf(DateOnly day) => EventId.LowerBound(new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero));

    private int Today() => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime).DayNumber;
}
