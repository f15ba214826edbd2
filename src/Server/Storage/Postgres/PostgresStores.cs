using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Opens the three stores over one Postgres database.</summary>
internal static class PostgresStores
{
    /// <summary>The oldest major version that has all we use and is still maintained.</summary>
    private const int OldestMajorVersion = 15;

    private const string Settings = """
        SELECT current_setting('server_version'), current_setting('server_version_num')::integer,
               current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')
        """;

    /// <summary>Makes the pool; nothing is connected yet. See <see cref="StoreSet.OpenAsync"/>.</summary>
    public static StoreSet Open(StorageOptions options, TimeProvider time)
    {
        var database = new PostgresDatabase(options.ConnectionString!);
        var events = new PostgresEventStore(database, time, options.PartitionsAhead);
        var accounts = new PostgresAccountStore(database, time);
        return new StoreSet(
            events,
            new PostgresDeliveryStore(database, time),
            new PostgresDeadLetters(database),
            accounts,
            new PostgresReplays(database),
            new DataStores(
                new PostgresRetention(database), new PostgresErasures(database, time), new PostgresLedger(database), new PostgresUsage(database)),
            async cancellationToken =>
            {
                var facts = await InspectAsync(database, cancellationToken);
                await events.PrepareAsync(cancellationToken);
                return facts;
            },
            database)
        {
            Audit = new PostgresAudit(database),
            Changes = new PostgresAccountChanges(database, accounts),
        };
    }

    /// <summary>
    /// The server's version, and a sentence for each setting under which a committed row may be lost. Throws <see cref="StoreException"/>
    /// for a version too old.
    /// </summary>
    private static async Task<StoreFacts> InspectAsync(PostgresDatabase database, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Settings,
            _ => { },
            row => (
                Version: row.GetString(0),
                Number: row.GetInt32(1),
                Fsync: row.GetString(2),
                Commit: row.GetString(3),
                Pages: row.GetString(4)),
            cancellationToken);
        var found = rows[0];
        if (found.Number / 10_000 < OldestMajorVersion)
            throw new StoreException(
                StoreFailure.Fault,
                $"PostgreSQL {found.Version} at {database.Place} is too old: upgrade it to {OldestMajorVersion} or newer.");

        var warnings = new List<string>();
        if (found.Fsync == "off") warnings.Add("PostgreSQL runs with fsync=off: a power cut can destroy the database. Set fsync = on.");
        if (found.Commit == "off")
            warnings.Add("PostgreSQL runs with synchronous_commit=off: a crash of it loses the last commits. Set synchronous_commit = on.");
        if (found.Pages == "off")
            warnings.Add("PostgreSQL runs with full_page_writes=off: a power cut can tear its pages. Set full_page_writes = on.");
        return new StoreFacts($"PostgreSQL {found.Version.Split(' ')[0]} at {database.Place}", warnings);
    }
}
