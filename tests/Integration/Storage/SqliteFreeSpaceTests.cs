using System.Text;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>Copies of rows that SQLite leaves in its file are overwritten, and nothing else is.</summary>
public sealed class SqliteFreeSpaceTests : IDisposable
{
    private const string Gone = "person-to-be-erased";
    private const string Kept = "person-to-be-kept";

    private readonly string _directory = Directory.CreateTempSubdirectory("zap-sqlite-").FullName;

    private string Path => System.IO.Path.Combine(_directory, "events.db");

    [Fact]
    public async Task Copies_that_splits_and_merges_leave_go()
    {
        await using var database = new SqliteDatabase(Path);
        await FillAsync(database, 6_000);
        await EraseAsync(database);
        EmptyLog();
        Assert.True(Count(Gone) > 0, "SQLite leaves no copies any more");
        var (rows, kept) = (await ReadAsync(database), Count(Kept));

        Assert.True(await OverwriteAsync(database) >= 2);

        Assert.Equal(0, Count(Gone));
        Assert.InRange(Count(Kept), 2 * 3_000, kept); // in the table and in its index
        Assert.Equal(rows, await ReadAsync(database));
        await AssertSoundAsync(database);
    }

    [Fact]
    public async Task What_the_writer_has_read_of_a_page_does_not_bring_copies_back()
    {
        await using var database = new SqliteDatabase(Path);
        await FillAsync(database, 2_000);
        await EraseAsync(database);
        await OverwriteAsync(database);

        // Writes each page once more.
        await database.WriteAsync(connection => connection.Execute("UPDATE rows SET n = n + 1"), CancellationToken.None);
        EmptyLog();

        Assert.Equal(0, Count(Gone));
        await AssertSoundAsync(database);
    }

    [Fact]
    public async Task Pages_that_became_free_are_overwritten_and_used_again()
    {
        await using var database = new SqliteDatabase(Path);
        await FillAsync(database, 6_000);
        await ExpireAsync(database);
        EmptyLog();
        Assert.True(Count(Kept) > 1_000, "pages of what expires are overwritten at once");

        await OverwriteAsync(database);

        Assert.Equal(0, Count(Gone) + Count(Kept));
        await AssertSoundAsync(database);
        var length = new FileInfo(Path).Length;
        await FillAsync(database, 6_000);
        Assert.InRange(new FileInfo(Path).Length, 1, length + (length / 10));
        await AssertSoundAsync(database);
    }

    [Fact]
    public async Task A_row_that_overflows_into_a_page_that_became_free_keeps_nothing_of_it()
    {
        await using var database = new SqliteDatabase(Path);
        await FillAsync(database, 500, Gone, Gone);
        await ExpireAsync(database);
        await FillAsync(database, 500, Kept, Kept);

        await OverwriteAsync(database);

        Assert.Equal(0, Count(Gone));
        await AssertSoundAsync(database);
    }

    [Fact]
    public async Task A_reader_that_needs_the_log_is_waited_for()
    {
        await using var database = new SqliteDatabase(Path);
        await FillAsync(database, 100);
        EmptyLog();
        using var end = new ManualResetEventSlim();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = database.ReadAsync(
            connection =>
            {
                var rows = connection.Query("SELECT count(*) FROM rows", row => row.GetInt64(0))[0];
                begun.SetResult();
                end.Wait(TestContext.Current.CancellationToken);
                return rows;
            },
            CancellationToken.None);
        await begun.Task;
        await database.WriteAsync(connection => connection.Execute("DELETE FROM rows"), CancellationToken.None);

        Assert.False((await database.TryOverwriteFreeSpaceAsync(0, SqlitePurge.PagesAtOnce, CancellationToken.None)).IsDone);
        Assert.True(Count(Gone) > 0);
        end.Set();
        Assert.Equal(100, await reading);

        await OverwriteAsync(database);
        Assert.Equal(0, Count(Gone));
    }

    [Fact]
    public async Task What_is_owed_outlives_the_process_and_is_done_once()
    {
        await using (var database = new SqliteDatabase(Path))
        {
            await SqliteMigrations.RunAsync(database, TimeProvider.System, CancellationToken.None);
            Assert.True(await new SqlitePurge(database).TryRunAsync(CancellationToken.None));
            await FillAsync(database, 2_000);
            await database.WriteAsync(
                connection =>
                {
                    SqlitePurge.Owe(connection);
                    return connection.Execute("DELETE FROM rows WHERE who LIKE $1", Gone + "%");
                },
                CancellationToken.None);
        }

        Assert.True(Count(Gone) > 0);
        await using (var database = new SqliteDatabase(Path))
        {
            Assert.True(await new SqlitePurge(database).TryRunAsync(CancellationToken.None));
            Assert.Equal(0, Count(Gone));

            // Nothing is owed: nothing is done.
            await ExpireAsync(database);
            EmptyLog();
            var left = Count(Kept);
            Assert.True(await new SqlitePurge(database).TryRunAsync(CancellationToken.None));
            Assert.Equal(left, Count(Kept));
            Assert.True(left > 0);
        }
    }

    [Fact]
    public async Task An_erasure_ends_when_the_file_is_purged_of_what_selected_too()
    {
        await using var database = new SqliteDatabase(Path);
        await SqliteMigrations.RunAsync(database, TimeProvider.System, CancellationToken.None);
        var erasures = new SqliteErasures(database, TimeProvider.System);
        var erasure = new Erasure
        {
            OrganizationNo = 1,
            Id = Guid.NewGuid(),
            Kind = ErasureKind.Events,
            Selection = new ErasureSelection { Path = ["who"], EqualTo = $"\"{Gone}\"" }.Write(),
            Through = default,
            RequestedAt = StoreFixture.Noon,
        };
        var finished = erasure with { IsJournalErased = true, FinishedAt = StoreFixture.Noon };
        Assert.True(await erasures.AddAsync(erasure, CancellationToken.None));
        EmptyLog();
        using (var reader = new SqliteConnection($"Data Source={Path};Pooling=False"))
        {
            reader.Open();
            reader.Execute("BEGIN");
            reader.Query("SELECT selection FROM erasures", row => row.GetString(0));

            Assert.False(await erasures.TryFinishAsync(finished, CancellationToken.None));

            var unfinished = Assert.Single(await erasures.ReadUnfinishedAsync(CancellationToken.None));
            Assert.Equal((true, ""), (unfinished.IsJournalErased, unfinished.Selection));
            Assert.True(Count(Gone) > 0);
        }

        Assert.True(await erasures.TryFinishAsync(finished, CancellationToken.None));
        Assert.Empty(await erasures.ReadUnfinishedAsync(CancellationToken.None));
        var ended = (await erasures.FindAsync(1, erasure.Id, CancellationToken.None))!.FinishedAt;
        Assert.True(ended > finished.FinishedAt, $"{ended} is before the purge");
        Assert.Equal(0, Count(Gone));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>
    /// Rows of two persons in turn in a table and an index that grow everywhere, some larger than pages, over more pages than are
    /// overwritten at once.
    /// </summary>
    private static Task<int> FillAsync(
        SqliteDatabase database, int count, string first = Gone, string second = Kept) => database.WriteAsync(
        connection =>
        {
            connection.Execute(
                "CREATE TABLE IF NOT EXISTS rows (key TEXT NOT NULL PRIMARY KEY, who TEXT, n INTEGER, more BLOB) WITHOUT ROWID");
            connection.Execute("CREATE INDEX IF NOT EXISTS rows_who ON rows (who)");
            var random = new Random(1);
            var key = new byte[16];
            using var insert = new SqliteStatement(connection, "INSERT INTO rows VALUES ($1, $2, $3, $4)");
            for (var i = 0; i < count; i++)
            {
                random.NextBytes(key);
                var text = Convert.ToHexString(key);
                var who = $"{(i % 2 == 0 ? first : second)}-{text}";
                insert.Execute(text, who, i, Repeat(who, i % 10 == 0 ? 30_000 : i % 7 * 70));
            }

            return count;
        },
        CancellationToken.None);

    private static Task<int> EraseAsync(SqliteDatabase database) => database.WriteAsync(
        connection => connection.Execute("DELETE FROM rows WHERE who LIKE $1", Gone + "%"), CancellationToken.None);

    private static Task<int> ExpireAsync(SqliteDatabase database) => database.WriteAsync(
        connection =>
        {
            using var fast = SqliteFastDelete.On(connection);
            return connection.Execute("DELETE FROM rows");
        },
        CancellationToken.None);

    private static byte[] Repeat(string text, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = (byte)text[i % text.Length];
        return bytes;
    }

    /// <summary>Overwrites in the whole file; returns in how many pieces.</summary>
    private static async Task<int> OverwriteAsync(SqliteDatabase database)
    {
        var pieces = 0;
        for (long? page = 0; page is { } first; pieces++)
        {
            (var isDone, page) = await database.TryOverwriteFreeSpaceAsync(first, SqlitePurge.PagesAtOnce, CancellationToken.None);
            Assert.True(isDone);
        }

        return pieces;
    }

    private static Task<List<string>> ReadAsync(SqliteDatabase database) => database.ReadAsync(
        connection => connection.Query("SELECT key || who || n || hex(more) FROM rows ORDER BY key", row => row.GetString(0)),
        CancellationToken.None);

    private static async Task AssertSoundAsync(SqliteDatabase database)
    {
        var said = await database.ReadAsync(
            connection => connection.Query("PRAGMA integrity_check", row => row.GetString(0)), CancellationToken.None);
        Assert.Equal(["ok"], said);
    }

    /// <summary>As it happens from time to time by itself.</summary>
    private void EmptyLog()
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        Assert.Equal([0], connection.Query("PRAGMA wal_checkpoint(TRUNCATE)", row => row.GetInt32(0)));
    }

    /// <summary>How often the file has the text.</summary>
    private int Count(string text) => File.ReadAllBytes(Path).AsSpan().Count(Encoding.UTF8.GetBytes(text));
}
