using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// While it lasts, what the writing connection deletes is overwritten with zeros. Not always on: for what merely expires it would write
/// each page twice.
/// </summary>
internal readonly struct SqliteSecureDelete : IDisposable
{
    private readonly SqliteConnection _connection;

    private SqliteSecureDelete(SqliteConnection connection) => _connection = connection;

    /// <summary>Begins it.</summary>
    public static SqliteSecureDelete On(SqliteConnection connection)
    {
        connection.Execute("PRAGMA secure_delete = ON");
        return new SqliteSecureDelete(connection);
    }

    /// <summary>Ends it.</summary>
    public void Dispose() => _connection.Execute("PRAGMA secure_delete = OFF");
}
