using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>One writer, which no reader holds up, and readers that end when they are told to.</summary>
public sealed class SqliteDatabaseTests : IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("zap-sqlite-").FullName;

    [Fact]
    public async Task A_read_that_is_cancelled_is_interrupted()
    {
        await using var database = Open();
        using var stop = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var interrupted = new List<SqliteConnection>();

        var read = database.ReadAsync(
            connection =>
            {
                interrupted.Add(connection);
                connection.CreateFunction("begun", () => begun.TrySetResult());
                const string Endless =
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE begun() < 2";
                return connection.Query(Endless, row => row.GetInt64(0));
            },
            stop.Token);
        await begun.Task.WaitAsync(Guard);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Guard));
        Assert.True(read.IsCanceled);
        var next = await database.ReadAsync(connection => connection, CancellationToken.None);
        Assert.NotSame(Assert.Single(interrupted), next);
    }

    [Fact]
    public async Task A_read_whose_token_ends_after_it_gives_its_connection_back()
    {
        await using var database = Open();
        using var later = new CancellationTokenSource();

        var first = await database.ReadAsync(connection => connection, later.Token);
        await later.CancelAsync();

        Assert.Same(first, await database.ReadAsync(connection => connection, CancellationToken.None));
    }

    [Fact]
    public async Task A_log_that_a_reader_needs_is_left_alone_without_much_waiting()
    {
        await using var database = Open();
        await database.WriteAsync(connection => connection.Execute("CREATE TABLE t (i)"), CancellationToken.None);
        using var end = new ManualResetEventSlim();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = database.ReadAsync(
            connection =>
            {
                connection.Query("SELECT count(*) FROM t", row => row.GetInt32(0));
                begun.SetResult();
                end.Wait();
                return 0;
            },
            CancellationToken.None);
        await begun.Task.WaitAsync(Guard);
        await database.WriteAsync(connection => connection.Execute("INSERT INTO t VALUES (1)"), CancellationToken.None);

        // Twelve tries that wait five seconds each would outlast the guard.
        var tries = Enumerable.Range(0, 12)
            .Select(_ => database.TryOverwriteFreeSpaceAsync(0, SqlitePurge.PagesAtOnce, CancellationToken.None)).ToList();
        var emptied = await Task.WhenAll(tries).WaitAsync(Guard);
        Assert.All(emptied, one => Assert.False(one.IsDone));
        var patience = await database.WriteAsync(
            connection => connection.Query("PRAGMA busy_timeout", row => row.GetInt32(0)), CancellationToken.None);
        Assert.Equal([5000], patience);

        end.Set();
        await reading;
        Assert.True((await database.TryOverwriteFreeSpaceAsync(0, SqlitePurge.PagesAtOnce, CancellationToken.None)).IsDone);
    }

    [Fact]
    public async Task A_lock_of_another_process_is_told_soon_and_in_words()
    {
        await using var database = Open();
        await database.WriteAsync(connection => connection.Execute("CREATE TABLE t (n INTEGER)"), CancellationToken.None);
        using var other = new SqliteConnection($"Data Source={Path.Combine(_directory, "events.db")};Pooling=False");
        other.Open();
        other.Execute("BEGIN IMMEDIATE");

        // Two that wait half a minute each, as the driver would have it, would outlast the guard.
        var writes = Enumerable.Range(0, 2).Select(
            _ => database.WriteAsync(connection => connection.Execute("INSERT INTO t VALUES (1)"), CancellationToken.None)).ToList();
        foreach (var write in writes)
        {
            var refused = await Assert.ThrowsAsync<StoreException>(() => write.WaitAsync(Guard));
            Assert.Equal(StoreFailure.Unavailable, refused.Failure);
            Assert.Contains("locked by another process", refused.Message, StringComparison.Ordinal);
        }

        other.Execute("ROLLBACK");
        Assert.Equal(1, await database.WriteAsync(connection => connection.Execute("INSERT INTO t VALUES (1)"), CancellationToken.None));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private SqliteDatabase Open() => new(Path.Combine(_directory, "events.db"));
}
