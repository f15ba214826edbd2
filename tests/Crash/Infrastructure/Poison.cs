namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>Makes a store refuse the events of one type, as a row that a database cannot take.</summary>
internal static class Poison
{
    private const string Postgres = $"""
        ALTER TABLE events ADD CONSTRAINT refused CHECK (type <> '{Bystander.PoisonType}')
        """;

    private const string Sqlite = $"""
        CREATE TRIGGER refused BEFORE INSERT ON events WHEN NEW.type = '{Bystander.PoisonType}'
        BEGIN SELECT RAISE(ABORT, 'refused'); END
        """;

    /// <summary>Teaches the scene's store to refuse events of the type <see cref="Bystander.PoisonType"/>.</summary>
    public static Task AddAsync(Scene scene) => scene.ExecuteAsync(scene.Database is null ? Sqlite : Postgres);
}
