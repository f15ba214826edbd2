namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Opens the three stores over one SQLite file.</summary>
internal static class SqliteStores
{
    /// <summary>The file in the data directory.</summary>
    public const string FileName = "events.db";

    /// <summary>Opens or makes the file; see <see cref="StoreSet.OpenAsync"/>.</summary>
    public static Task<StoreSet> OpenAsync(StorageOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var path = Path.Combine(options.DataDirectory, FileName);
        return Task.Run(
            () =>
            {
                var database = new SqliteDatabase(path);
                var events = new SqliteEventStore(database, time);
                return new StoreSet(
                    events,
                    new SqliteDeliveryStore(database, time),
                    new SqliteDeadLetters(database),
                    new SqliteAccountStore(database, time),
                    new SqliteReplays(database),
                    new DataStores(
                        new SqliteRetention(database), new SqliteErasures(database, time), new SqliteLedger(database), new SqliteUsage(database)),
                    async cancelled =>
                    {
                        await events.PrepareAsync(cancelled);
                        return new StoreFacts($"SQLite at {path}", []);
                    },
                    database)
                {
                    Audit = new SqliteAudit(database),
                };
            },
            cancellationToken);
    }
}
