using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// One file: one thread writes, any number read. SQLite has one writer at a time anyway; a queue in front of it turns lock conflicts into
/// waiting. Readers see the last commit (WAL) and never block the writer. Every driver error leaves as a
/// <see cref="Core.Storing.StoreException"/>.
/// </summary>
internal sealed class SqliteDatabase : IAsyncDisposable
{
    /// <summary>Forgets what a connection has read: its next statements read the file.</summary>
    private const string EmptyCache = "PRAGMA shrink_memory";

    private const string EmptyLog = "PRAGMA wal_checkpoint(TRUNCATE)";

    /// <summary>How long a connection waits for the locks of other processes.</summary>
    private const string WaitForLocks = "PRAGMA busy_timeout = 5000";

    /// <summary>
    /// Emptying the log waits for readers with the only writer: about as long as a commit takes, so that it gets past short reads, which
    /// follow each other without end on a busy server, and a long one holds up nobody.
    /// </summary>
    private const string HardlyWait = "PRAGMA busy_timeout = 20";

    private readonly string _connectionString;
    private readonly string _logPath;
    private readonly SqliteFreeSpace _freeSpace;
    private readonly SqliteWriter _writer;
    private readonly ConcurrentBag<SqliteReader> _readers = [];
    private volatile bool _disposed;

    /// <summary>Opens the file, or makes it. Throws <see cref="Core.Storing.StoreException"/>.</summary>
    public SqliteDatabase(string path)
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
            // For 30 s the driver would repeat a statement that met a lock, beside the wait of SQLite itself, and the only writer with it.
            var settings = new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWriteCreate,
                Pooling = false,
                DefaultTimeout = 1,
            };
            _connectionString = settings.ConnectionString;
            _logPath = path + "-wal";
            _freeSpace = new SqliteFreeSpace(path);
            _writer = new SqliteWriter(OpenWriter());
        }
        catch (Exception exception)
        {
            if (SqliteErrors.Map(exception) is { } mapped) throw mapped;
            throw;
        }
    }

    /// <summary>
    /// Queues work for the writing thread, which runs it in a transaction of its own: committed when the task completes, rolled back when
    /// it fails.
    /// </summary>
    public Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken) =>
        _writer.RunAsync(work, cancellationToken);

    /// <summary>
    /// Moves the log into the file and empties it, since it has pages as they were before, and overwrites free space in some pages of the
    /// file, see <see cref="SqliteFreeSpace"/>. Not done when a reader still needs the log: then to be tried again after a pause. Otherwise
    /// with the page to go on with, null behind the last.
    /// </summary>
    public Task<(bool IsDone, long? Next)> TryOverwriteFreeSpaceAsync(
        long firstPage, long pages, CancellationToken cancellationToken) =>
        _writer.RunAsync(connection => TryOverwriteFreeSpace(connection, firstPage, pages), cancellationToken, inTransaction: false);

    /// <summary>
    /// Runs a reading work on the thread pool (the driver blocks), in one snapshot of the database. Cancelled, it ends soon, whatever it is
    /// at, with an <see cref="OperationCanceledException"/>.
    /// </summary>
    public Task<T> ReadAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken) =>
        Task.Run(() => Read(work, cancellationToken), cancellationToken);

    /// <summary>
    /// Asks for one row along an index, at once on the caller's thread: a hop to another one costs more than the question. Throws
    /// <see cref="Core.Storing.StoreException"/>.
    /// </summary>
    /// <param name="sql">A statement with at most one row; prepared once for each connection.</param>
    /// <param name="key">What it is asked for.</param>
    /// <param name="ask">Binds the key, goes to the row, and gives what it says. The statement is left as it was.</param>
    public T LookUp<TKey, T>(string sql, TKey key, Func<SqlitePrepared, TKey, T> ask) =>
        Use((Sql: sql, Key: key, Ask: ask), static (reader, question) =>
        {
            var statement = reader.Prepared(question.Sql);
            try
            {
                return question.Ask(statement, question.Key);
            }
            finally
            {
                statement.Reset();
            }
        }, CancellationToken.None);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        while (_readers.TryTake(out var reader)) reader.Dispose();
        _writer.Dispose();
        _freeSpace.Dispose(); // behind all connections
        return ValueTask.CompletedTask;
    }

    private static bool TryEmptyLog(SqliteConnection connection)
    {
        connection.Execute(HardlyWait);
        try
        {
            return connection.Query(EmptyLog, row => row.GetInt32(0)) is [0];
        }
        finally
        {
            connection.Execute(WaitForLocks);
        }
    }

    private (bool IsDone, long? Next) TryOverwriteFreeSpace(SqliteConnection connection, long firstPage, long pages)
    {
        if (!TryEmptyLog(connection)) return default;
        connection.Execute("BEGIN IMMEDIATE"); // until its end no other process writes, either
        long? next;
        bool hasChanged;
        try
        {
            if (new FileInfo(_logPath) is { Exists: true, Length: > 0 }) return default;
            (next, hasChanged) = _freeSpace.Overwrite(firstPage, pages);
        }
        finally
        {
            connection.Execute("ROLLBACK");
        }

        if (hasChanged) connection.Execute(EmptyCache);
        return (true, next);
    }

    private T Read<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken) =>
        Use((Work: work, Token: cancellationToken), static (reader, task) => Run(reader, task.Work, task.Token), cancellationToken);

    /// <summary>Lends a reader.</summary>
    private T Use<TState, T>(TState state, Func<SqliteReader, TState, T> use, CancellationToken cancellationToken)
    {
        SqliteReader? reader = null;
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_readers.TryTake(out reader)) reader = new SqliteReader(OpenReader());
            var result = use(reader, state);

            // A connection that may have been interrupted is not used again: it could be so in its next statement.
            if (!_disposed && !cancellationToken.IsCancellationRequested) _readers.Add(reader);
            else reader.Dispose();
            return result;
        }
        catch (Exception exception)
        {
            // A connection in doubt is not used again.
            reader?.Dispose();
            if (exception is SqliteException && cancellationToken.IsCancellationRequested)
                throw new OperationCanceledException("The reading was interrupted.", exception, cancellationToken);
            if (SqliteErrors.Map(exception) is { } mapped) throw mapped;
            throw;
        }
    }

    /// <summary>
    /// The registration ends before the connection is let go, and waits for an interruption that is under way: the handle stays valid for
    /// it.
    /// </summary>
    private static T Run<T>(SqliteReader reader, Func<SqliteConnection, T> work, CancellationToken cancellationToken)
    {
        using var interruption = cancellationToken.UnsafeRegister(
            static handle => raw.sqlite3_interrupt((sqlite3)handle!), reader.Connection.Handle);
        reader.Prepared("BEGIN").Run();
        cancellationToken.ThrowIfCancellationRequested(); // between two statements an interruption goes by
        var result = work(reader.Connection);
        reader.Prepared("COMMIT").Run();
        return result;
    }

    /// <summary>
    /// FULL: a commit is on the disk before it is reported. Moving 32 MB at a time from the log into the file, instead of the default 4 MB,
    /// keeps that out of most batches; 64 MB of pages, or a sixteenth of the memory there is if that is less, hold the indexes' inner nodes
    /// of tens of millions of rows. What a former process left in the log goes: it may have been erased.
    /// </summary>
    private SqliteConnection OpenWriter() => Open($"""
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 8192;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA cache_size = -{Math.Min(65_536, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16 / 1024)};
        {WaitForLocks};
        PRAGMA secure_delete = ON;
        {EmptyLog};
        """);

    private SqliteConnection OpenReader() => Open($"""
        PRAGMA query_only = ON;
        {WaitForLocks};
        """);

    private SqliteConnection Open(string pragmas)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            connection.Execute(pragmas);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
