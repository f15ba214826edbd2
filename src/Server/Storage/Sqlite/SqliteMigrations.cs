using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Brings the file's schema up to date in one transaction, which is also the lock.</summary>
internal static class SqliteMigrations
{
    private const string Versions = """
        CREATE TABLE IF NOT EXISTS schema_versions (
            version    INTEGER NOT NULL PRIMARY KEY,
            name       TEXT    NOT NULL,
            applied_at INTEGER NOT NULL
        )
        """;

    private const string Current = """
        SELECT coalesce(max(version), 0) FROM schema_versions
        """;

    private const string Note = """
        INSERT INTO schema_versions (version, name, applied_at) VALUES ($1, $2, $3)
        """;

    /// <summary>
    /// Runs what is missing. Throws <see cref="Core.Storing.StoreFailure.Fault"/> when the schema is newer than this server.
    /// </summary>
    public static Task RunAsync(SqliteDatabase database, TimeProvider time, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => Run(connection, time.GetUtcNow()), cancellationToken);

    private static bool Run(SqliteConnection connection, DateTimeOffset now)
    {
        var known = Migration.Load("Sqlite");
        connection.Execute(Versions);
        var version = connection.Query(Current, row => row.GetInt32(0))[0];
        SchemaVersion.Check(version, known);
        foreach (var migration in known.Where(migration => migration.Version > version))
        {
            connection.Execute(migration.Sql);
            connection.Execute(Note, migration.Version, migration.Name, now);
        }

        return true;
    }
}
