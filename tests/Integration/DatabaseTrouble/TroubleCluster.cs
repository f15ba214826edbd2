using Npgsql;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// One PostgreSQL server for tests of database trouble, which therefore run one after the other; each scene has a database and a role of
/// its own in it.
/// </summary>
public sealed class TroubleCluster : IDisposable
{
    private static int _last;

    /// <summary>The server.</summary>
    internal PostgresCluster Cluster { get; } = PostgresCluster.Start();

    /// <summary>Makes a database with an owner of the same name, an ordinary role who logs in with a password; returns the name.</summary>
    internal async Task<string> CreateDatabaseAsync()
    {
        var name = $"trouble{Interlocked.Increment(ref _last)}";
        var rules = Path.Combine(Cluster.DataDirectory, "pg_hba.conf");
        await File.WriteAllTextAsync(rules, $"host all {name} 127.0.0.1/32 scram-sha-256\n" + await File.ReadAllTextAsync(rules));
        await ExecuteAsync("SELECT pg_reload_conf()");
        await ExecuteAsync($"CREATE ROLE {name} LOGIN PASSWORD 'right'");
        await ExecuteAsync($"CREATE DATABASE {name} OWNER {name}");
        return name;
    }

    /// <summary>The superuser's connection string for a database, past any proxy.</summary>
    internal string DirectTo(string database) =>
        new NpgsqlConnectionStringBuilder(Cluster.ConnectionString) { Database = database, Pooling = false }.ConnectionString;

    /// <summary>A connection string for a server on a database, past any proxy.</summary>
    internal string ServerTo(string database) =>
        new NpgsqlConnectionStringBuilder(Cluster.ConnectionString) { Database = database, MaxPoolSize = 10 }.ConnectionString;

    /// <summary>Runs a statement as the superuser; returns the first value.</summary>
    internal Task<object?> ExecuteAsync(string sql, string database = "postgres") => PostgresServer.ExecuteAsync(sql, DirectTo(database));

    public void Dispose() => Cluster.Dispose();
}

/// <summary>The classes that share <see cref="TroubleCluster"/>.</summary>
[CollectionDefinition(Name)]
public sealed class TroubleCollection : ICollectionFixture<TroubleCluster>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "database trouble";
}
