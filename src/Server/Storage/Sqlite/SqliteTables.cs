using Microsoft.Data.Sqlite;
using ZapierTriggers.Server.Storage.Moving;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>The tables of a file that is to be moved or backed up, over a connection that only reads.</summary>
internal sealed class SqliteTables : IDisposable
{
    private const string Names = """
        SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name
        """;

    private const string ColumnNames = """
        SELECT name FROM pragma_table_info($1) ORDER BY cid
        """;

    private const string Snapshot = """
        VACUUM INTO $1
        """;

    private const string Sound = """
        PRAGMA quick_check(1)
        """;

    private readonly SqliteConnection _connection;

    /// <summary>Opens an existing file. Throws <see cref="Core.Storing.StoreException"/>.</summary>
    public SqliteTables(string path)
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false };
        _connection = new SqliteConnection(settings.ConnectionString);
        _ = Mapped(() =>
        {
            _connection.Open();
            return _connection.Execute("PRAGMA busy_timeout = 5000");
        });
    }

    /// <summary>Each table with the names of its columns.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Read() => Mapped(() => _connection.Query(Names, row => row.GetString(0))
        .ToDictionary(
            name => name,
            IReadOnlyList<string> (name) => _connection.Query(ColumnNames, row => row.GetString(0), name),
            StringComparer.Ordinal));

    /// <summary>How many rows a table has.</summary>
    public long Count(string table) => Mapped(() => _connection.Query($"SELECT count(*) FROM {table}", row => row.GetInt64(0))[0]);

    /// <summary>A reader behind the row with that key.</summary>
    public SqliteTableReader Open(MovedTable table, IReadOnlyList<object> after) =>
        Mapped(() => new SqliteTableReader(_connection, table, after));

    /// <summary>
    /// Writes all that is committed now, as one state, into a new file, without free pages and without a log; a server may go on writing.
    /// </summary>
    public void CopyTo(string path) => Mapped(() => _connection.Execute(Snapshot, path));

    /// <summary>What SQLite finds wrong with the file; null when nothing.</summary>
    public string? Fault() => Mapped(() => _connection.Query(Sound, row => row.GetString(0))) is ["ok"] ? null : "it is damaged";

    /// <summary>Runs reading work; its errors leave as <see cref="Core.Storing.StoreException"/>.</summary>
    public static T Mapped<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException error)
        {
            throw SqliteErrors.Map(error)!;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();
}
