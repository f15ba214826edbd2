using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// While it lasts, pages that become free are not overwritten. The writing connection overwrites all else that it deletes
/// (<c>secure_delete</c>); for what merely expires that would write each page twice. An erasure overwrites such pages
/// (<see cref="SqliteFreeSpace"/>).
/// </summary>
internal readonly struct SqliteFastDelete : IDisposable
{
    private readonly SqliteConnection _connection;

    private SqliteFastDelete(SqliteConnection connection) => _connection = connection;

    /// <summary>Begins it.</summary>
    public static SqliteFastDelete On(SqliteConnection connection)
    {
        connection.Execute("PRAGMA secure_delete = FAST");
        return new SqliteFastDelete(connection);
    }

    /// <summary>Ends it.</summary>
    public void Dispose() => _connection.Execute("PRAGMA secure_delete = ON");
}
