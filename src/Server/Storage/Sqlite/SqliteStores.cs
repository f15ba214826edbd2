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
                return new StoreSet(
                    new SqliteEventStore(database, time),
                    new SqliteDeliveryStore(database, time),
                    new SqliteAccountStore(database, time),
                    $"SQLite at {path}",
                    [],
                    database);
            },
            cancellationToken);
    }
}
