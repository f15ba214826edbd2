using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Load.Compare;

/// <summary>Keeps a server from storing, as another process that holds its database's lock does; events go on into its journal.</summary>
internal sealed class StoreHold : IAsyncDisposable
{
    private readonly DbConnection _connection;

    private StoreHold(DbConnection connection) => _connection = connection;

    /// <summary>Locks the checkpoints of a PostgreSQL, which each transaction of the store writer moves first.</summary>
    public static async Task<StoreHold> OfAsync(TemporaryPostgres postgres, CancellationToken stop) =>
        await OfAsync(await postgres.OpenAsync(stop), "BEGIN; LOCK TABLE shards IN EXCLUSIVE MODE", stop);

    /// <summary>Begins a writing transaction on an embedded database's file.</summary>
    public static async Task<StoreHold> OfAsync(string sqlitePath, CancellationToken stop)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = sqlitePath, Pooling = false }.ConnectionString);
        await connection.OpenAsync(stop);
        return await OfAsync(connection, "PRAGMA busy_timeout = 30000; BEGIN IMMEDIATE", stop);
    }

    /// <summary>Lets go.</summary>
    public async Task ReleaseAsync() => await ExecuteAsync("ROLLBACK", CancellationToken.None);

    /// <summary>Lets go, if it still holds, and closes the connection.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static async Task<StoreHold> OfAsync(DbConnection connection, string sql, CancellationToken stop)
    {
        var hold = new StoreHold(connection);
        try
        {
            await hold.ExecuteAsync(sql, stop);
            return hold;
        }
        catch
        {
            await hold.DisposeAsync();
            throw;
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken stop)
    {
        await using var command = _connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(stop);
    }
}
