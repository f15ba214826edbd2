using Npgsql;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>
/// The one PostgreSQL of a test run: the given one (<c>ZAP_TEST_POSTGRES</c>) or a throw-away cluster, started on first use and stopped
/// when the process ends.
/// </summary>
internal static class PostgresServer
{
    private static readonly Lazy<string> Server = new(Start, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Makes a schema and returns the connection string that leads to it alone.</summary>
    public static async Task<string> CreateSchemaAsync(string name)
    {
        var schema = $"{name.ToLowerInvariant()}_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE SCHEMA {schema}");
        return new NpgsqlConnectionStringBuilder(Server.Value) { SearchPath = schema, MaxPoolSize = 10 }.ConnectionString;
    }

    /// <summary>Drops the schema that <see cref="CreateSchemaAsync"/> made.</summary>
    public static Task DropSchemaAsync(string connectionString) =>
        ExecuteAsync($"DROP SCHEMA {new NpgsqlConnectionStringBuilder(connectionString).SearchPath} CASCADE");

    /// <summary>Runs one statement as a person with psql would.</summary>
    public static async Task<object?> ExecuteAsync(string sql, string? connectionString = null)
    {
        await using var source = NpgsqlDataSource.Create(connectionString ?? Server.Value);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static string Start()
    {
        if (PostgresCluster.Given is { } given) return given;
        var cluster = PostgresCluster.Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => cluster.Dispose();
        return cluster.ConnectionString;
    }
}
