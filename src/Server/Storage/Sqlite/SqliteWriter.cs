using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>The thread that owns the writing connection and takes one piece of work after the other.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private readonly BlockingCollection<Work> _queue = [];
    private readonly SqliteConnection _connection;
    private readonly Thread _thread;

    /// <summary>Takes the connection over and starts the thread.</summary>
    public SqliteWriter(SqliteConnection connection)
    {
        _connection = connection;
        _thread = new Thread(Run) { IsBackground = true, Name = "SQLite writer" };
        _thread.Start();
    }

    /// <summary>
    /// Queues the work. A cancelled token takes it off the queue only before it starts: once started, the caller's memory is in use until
    /// the task completes. Without a transaction what it does is on its own.
    /// </summary>
    public Task<T> RunAsync<T>(Func<SqliteConnection, T> run, CancellationToken cancellationToken, bool inTransaction = true)
    {
        var work = new Work<T>(run, inTransaction, cancellationToken);
        ObjectDisposedException.ThrowIf(_queue.IsAddingCompleted, this);
        _queue.Add(work, CancellationToken.None);

        return work.Task;
    }

    /// <summary>Finishes what is queued, then closes the connection.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _connection.Dispose();
        _queue.Dispose();
    }

    private void Run()
    {
        foreach (var work in _queue.GetConsumingEnumerable()) work.Run(_connection);
    }

    private abstract class Work
    {
        public abstract void Run(SqliteConnection connection);
    }

    private sealed class Work<T>(Func<SqliteConnection, T> run, bool inTransaction, CancellationToken cancellationToken) : Work
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _completion.Task;

        public override void Run(SqliteConnection connection)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _completion.TrySetCanceled(cancellationToken);
                return;
            }

            try
            {
                if (inTransaction) connection.Execute("BEGIN IMMEDIATE");
                var result = run(connection);
                if (inTransaction) connection.Execute("COMMIT");
                _completion.TrySetResult(result);
            }
            catch (Exception exception)
            {
                RollBack(connection);
                _completion.TrySetException(SqliteErrors.Map(exception) ?? exception);
            }
        }

        /// <summary>
        /// Some errors (disk full, I/O) have rolled back already; then nothing is open. By the raw call, because its result changes
        /// nothing: if a transaction stays open, the next BEGIN fails and says so.
        /// </summary>
        private static void RollBack(SqliteConnection connection)
        {
            if (raw.sqlite3_get_autocommit(connection.Handle) == 0) _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
        }
    }
}
