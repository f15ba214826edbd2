using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>Opening the stores: what the banner shows, and what an operator reads when it fails.</summary>
public sealed class OpeningTests(
    PostgresFixture postgres,
    SqliteFixture sqlite) : IClassFixture<PostgresFixture>, IClassFixture<SqliteFixture>
{
    [Fact]
    public void The_database_is_named_for_the_banner()
    {
        Assert.Matches(@"^PostgreSQL \d+(\.\d+)? at \S+/\w+$", postgres.Facts.Display);
        Assert.Equal($"SQLite at {Path.Combine(sqlite.Options.DataDirectory, "events.db")}", sqlite.Facts.Display);
        Assert.Empty(sqlite.Facts.Warnings);
    }

    [Fact]
    public async Task A_database_that_may_lose_commits_is_warned_of()
    {
        var facts = await PrepareAsync(
            new StorageOptions { ConnectionString = postgres.ConnectionString + ";Options=-c synchronous_commit=off" });

        Assert.Contains(
            "synchronous_commit",
            Assert.Single(facts.Warnings, warning => warning.Contains("commit", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_database_says_what_to_do_and_no_secret()
    {
        var exception = await FailAsync(new StorageOptions { ConnectionString = $"postgres://user:s3cret@127.0.0.1:{FreePort.Draw()}/db" });

        Assert.Equal(StoreFailure.Unavailable, exception.Failure);
        Assert.Contains("check that PostgreSQL runs", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres://user:s3cret@host:port/db")]
    [InlineData("postgres://user:s3cret@host/db?sslmode=s3cret")]
    [InlineData("postgres://user:s3cret@host/db?nonsense=s3cret")]
    [InlineData("Host=h;Passwort=s3cret")]
    [InlineData("s3cret")]
    [InlineData("Username=u;Password=s3cret")]
    public async Task A_bad_connection_string_says_what_to_do_and_no_secret(string text)
    {
        var exception = await FailAsync(new StorageOptions { ConnectionString = text });

        Assert.Equal(StoreFailure.Fault, exception.Failure);
        Assert.Contains("DATABASE_URL", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_says_what_to_do()
    {
        var file = Path.GetTempFileName();
        try
        {
            var exception = await FailAsync(new StorageOptions { DataDirectory = file });
            Assert.Equal(StoreFailure.Unavailable, exception.Failure);
            Assert.Contains("Storage:DataDirectory", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_a_fault()
    {
        var directory = Directory.CreateTempSubdirectory("zap-sqlite-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "events.db"), new string('x', 8192));
            Assert.Equal(StoreFailure.Fault, (await FailAsync(new StorageOptions { DataDirectory = directory.FullName })).Failure);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<StoreFacts> PrepareAsync(StorageOptions options)
    {
        await using var stores = await StoreSet.OpenAsync(options, TimeProvider.System, CancellationToken.None);
        return await stores.PrepareAsync(CancellationToken.None);
    }

    private static async Task<StoreException> FailAsync(StorageOptions options)
    {
        var exception = await Assert.ThrowsAsync<StoreException>(() => PrepareAsync(options));
        Assert.DoesNotContain("s3cret", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
        return exception;
    }
}
