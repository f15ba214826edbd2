using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Brings the schema that the connection's search_path names up to date, in one transaction and under a lock: of two servers that start at
/// once one waits.
/// </summary>
internal sealed class PostgresMigrations(PostgresDatabase database)
{
    /// <summary>An arbitrary constant: the key of the advisory lock.</summary>
    private const long LockKey = 0x7A61_705F_7363_686D;

    /// <summary>Seconds that one step may take: it may have to rewrite a large table.</summary>
    private const int StepTimeout = 3600;

    private const string Begin = """
        SELECT pg_advisory_xact_lock($1)
        """;

    private const string Versions = """
        CREATE TABLE IF NOT EXISTS schema_versions (
            version    integer     NOT NULL PRIMARY KEY,
            name       text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """;

    private const string Current = """
        SELECT coalesce(max(version), 0) FROM schema_versions
        """;

    private const string Note = """
        INSERT INTO schema_versions (version, name) VALUES ($1, $2)
        """;

    /// <summary>
    /// What a server that works meanwhile locks before it comes to the events: a step that has changed the events and then comes to one of
    /// these would wait for it, and it for the step. In the order in which servers take them. erasures is there from 0008 on.
    /// </summary>
    private const string LockOut = """
        DO $$
        DECLARE
            one text;
        BEGIN
            FOREACH one IN ARRAY ARRAY['organizations', 'shards', 'endpoints', 'erasures'] LOOP
                IF to_regclass(one) IS NOT NULL THEN
                    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', one);
                END IF;
            END LOOP;
        END
        $$
        """;

    /// <summary>Runs what is missing. Throws <see cref="StoreFailure.Fault"/> when the schema is newer than this server.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        var known = Migration.Load("Postgres");
        return database.RunInTransactionAsync(
            async connection =>
            {
                await using var locked = new NpgsqlCommand(Begin, connection);
                locked.Parameters.With(LockKey);
                await locked.ExecuteNonQueryAsync(cancellationToken);
                await ExecuteAsync(connection, Versions, cancellationToken);
                var version = await ReadVersionAsync(connection, cancellationToken);
                SchemaVersion.Check(version, known);
                if (version > 0 && version < known[^1].Version) await ExecuteAsync(connection, LockOut, cancellationToken);
                foreach (var migration in known.Where(migration => migration.Version > version))
                    await ApplyAsync(connection, migration, cancellationToken);
                return true;
            },
            cancellationToken);
    }

    /// <summary>
    /// Throws <see cref="StoreFailure.Fault"/> when a newer server has migrated since this one looked. In a transaction that has a lock on one of
    /// the tables that a migration locks out first, so that none is under way.
    /// </summary>
    public static async Task CheckAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        SchemaVersion.Check(await ReadVersionAsync(connection, cancellationToken), Migration.Load("Postgres"));

    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Current, connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, migration.Sql, cancellationToken);
        await using var note = new NpgsqlCommand(Note, connection);
        note.Parameters.With(migration.Version).With(migration.Name);
        await note.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = StepTimeout };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
