using Microsoft.Data.Sqlite;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>Makes a store refuse the events of one type, as a row that a database cannot take.</summary>
internal static class Poison
{
    /// <summary>Teaches the scene's store to refuse events of the type <see cref="Bystander.PoisonType"/>.</summary>
    public static async Task AddAsync(Scene scene)
    {
        if (scene.Database is { } database)
        {
            await PostgresServer.ExecuteAsync(
                $"ALTER TABLE events ADD CONSTRAINT refused CHECK (type <> '{Bystander.PoisonType}')", database);
            return;
        }

        await using var connection = new SqliteConnection(
            $"Data Source={Path.Combine(scene.Setup.DataDirectory, "events.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            PRAGMA busy_timeout = 5000;
            CREATE TRIGGER refused BEFORE INSERT ON events WHEN NEW.type = '{Bystander.PoisonType}'
            BEGIN SELECT RAISE(ABORT, 'refused'); END;
            """;
        await command.ExecuteNonQueryAsync();
    }
}
