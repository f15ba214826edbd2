using Microsoft.Data.Sqlite;
using Npgsql;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>Asks and changes a scene's database behind the server's back.</summary>
internal static class SceneSql
{
    /// <summary>Runs a statement, in which <c>$1</c> may stand for an id; returns the first value of the first row.</summary>
    public static async Task<object?> ExecuteAsync(this Scene scene, string sql, Guid? id = null)
    {
        if (scene.Database is { } database)
        {
            await using var source = NpgsqlDataSource.Create(database);
            await using var ask = source.CreateCommand(sql);
            if (id is { } key) ask.Parameters.Add(new NpgsqlParameter { Value = key });
            return await ask.ExecuteScalarAsync();
        }

        await using var connection = await scene.OpenSqliteAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (id is { } bytes) command.Parameters.AddWithValue("$1", bytes.ToByteArray(bigEndian: true));
        return await command.ExecuteScalarAsync();
    }

    /// <summary>The server's file.</summary>
    public static async Task<SqliteConnection> OpenSqliteAsync(this Scene scene)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(scene.Setup.DataDirectory, "events.db")};Pooling=False");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>As if a minute had passed since the server died: what it had claimed may be claimed again.</summary>
    public static Task EndLeasesAsync(this Scene scene) => scene.ExecuteAsync("UPDATE retries SET due_at = at WHERE claimed");
}
