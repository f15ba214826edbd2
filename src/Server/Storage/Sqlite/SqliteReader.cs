using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// A connection that reads, with the statements that are run so often that each is prepared once for it. Not safe for concurrent use.
/// </summary>
internal sealed class SqliteReader(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, SqlitePrepared> _prepared = new(StringComparer.Ordinal);

    /// <summary>The connection.</summary>
    public SqliteConnection Connection => connection;

    /// <summary>The statement, for this use only. Throws <see cref="SqliteException"/>.</summary>
    public SqlitePrepared Prepared(string sql)
    {
        if (!_prepared.TryGetValue(sql, out var prepared)) _prepared.Add(sql, prepared = new SqlitePrepared(connection, sql));
        return prepared;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var prepared in _prepared.Values) prepared.Dispose();
        connection.Dispose();
    }
}
