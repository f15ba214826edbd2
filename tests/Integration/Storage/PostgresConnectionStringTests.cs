using Npgsql;
using ZapierTriggers.Server.Storage.Postgres;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>Both forms of <c>DATABASE_URL</c>.</summary>
public sealed class PostgresConnectionStringTests
{
    [Theory]
    [InlineData("postgres://app:p%40ss%2Fw%23rd@db.example:6543/events?sslmode=require", "db.example", 6543, "events", "app", "p@ss/w#rd")]
    [InlineData("postgresql://app@db.example/events", "db.example", 5432, "events", "app", null)]
    [InlineData("postgres://app:a:b@[::1]:6543/events", "::1", 6543, "events", "app", "a:b")]
    [InlineData("Host=db.example;Port=6543;Database=events;Username=app;Password=p@ss", "db.example", 6543, "events", "app", "p@ss")]
    [InlineData("  postgres://db.example  ", "db.example", 5432, null, null, null)]
    public void Parts_are_read(string text, string host, int port, string? database, string? user, string? password)
    {
        var settings = PostgresConnectionString.Parse(text);

        Assert.Equal(
            (host, port, database, user, password),
            (settings.Host, settings.Port, settings.Database, settings.Username, settings.Password));
    }

    [Fact]
    public void Parameters_of_a_url_are_taken_over()
    {
        var settings = PostgresConnectionString.Parse(
            "postgres://h/d?sslmode=verify-full&connect_timeout=7&search_path=zap&Maximum%20Pool%20Size=9&Max Auto Prepare=0");

        Assert.Equal(
            (SslMode.VerifyFull, 7, "zap", 9, 0),
            (settings.SslMode, settings.Timeout, settings.SearchPath, settings.MaxPoolSize, settings.MaxAutoPrepare));
    }
}
