using Microsoft.Data.Sqlite;
using SQLitePCL;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Storage.Moving;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Reads a whole table in the order of its key, through SQLite's own calls: bytes go from the file's page into the row.</summary>
internal sealed class SqliteTableReader : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly MovedTable _table;

    /// <summary>Begins behind a row with that key (empty: at the first). Throws <see cref="SqliteException"/>.</summary>
    public SqliteTableReader(SqliteConnection connection, MovedTable table, IReadOnlyList<object> after)
    {
        (_database, _table) = (connection.Handle!, table);
        var places = string.Join(", ", Enumerable.Range(1, after.Count).Select(number => $"?{number}"));
        var behind = after.Count == 0 ? "" : $" WHERE ({table.KeyList}) > ({places})";
        Check(raw.sqlite3_prepare_v2(
            _database, $"SELECT {table.ColumnList} FROM {table.Name}{behind} ORDER BY {table.KeyList}", out _statement));
        for (var index = 0; index < after.Count; index++)
        {
            Check(after[index] is byte[] bytes
                ? raw.sqlite3_bind_blob(_statement, index + 1, bytes)
                : raw.sqlite3_bind_int64(_statement, index + 1, (long)after[index]));
        }
    }

    /// <summary>Goes to the next row; false behind the last. Throws <see cref="SqliteException"/>.</summary>
    public bool Next()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW) return true;
        if (result != raw.SQLITE_DONE) SqliteException.ThrowExceptionForRC(result, _database);
        return false;
    }

    /// <summary>Whether a text of the row has a U+0000.</summary>
    public bool HasZero()
    {
        for (var index = 0; index < _table.Columns.Count; index++)
            if (_table.Columns[index].Kind == ColumnKind.Text && raw.sqlite3_column_blob(_statement, index).Contains((byte)0)) return true;
        return false;
    }

    /// <summary>Appends the row.</summary>
    public void WriteTo(CopyRows rows)
    {
        rows.BeginRow(_table.Columns.Count);
        for (var index = 0; index < _table.Columns.Count; index++)
        {
            var kind = _table.Columns[index].Kind;
            if (raw.sqlite3_column_type(_statement, index) == raw.SQLITE_NULL) rows.WriteNull();
            else if (kind == ColumnKind.Text) rows.WriteText(raw.sqlite3_column_blob(_statement, index));
            else if (kind is ColumnKind.Bytes or ColumnKind.Uuid) rows.WriteBytes(raw.sqlite3_column_blob(_statement, index));
            else rows.WriteNumber(kind, raw.sqlite3_column_int64(_statement, index));
        }
    }

    /// <summary>The id of the row, in the column of that index.</summary>
    public EventId Id(int column) => EventId.FromBytes(raw.sqlite3_column_blob(_statement, column));

    /// <summary>The row as an event.</summary>
    public JournaledEvent ReadEvent() => new()
    {
        OrganizationNo = raw.sqlite3_column_int(_statement, _table.IndexOf("organization_no")),
        Id = Id(_table.IndexOf("id")),
        PayloadHash = unchecked((ulong)raw.sqlite3_column_int64(_statement, _table.IndexOf("payload_hash"))),
        Type = Bytes("type"),
        DedupId = Bytes("dedup_id"),
        OrderingKey = Bytes("ordering_key"),
        Payload = Bytes("payload"),
        TraceParent = TraceParent.FromBytes(Bytes("traceparent")),
    };

    /// <inheritdoc/>
    public void Dispose() => _statement.Dispose();

    private byte[] Bytes(string column) => raw.sqlite3_column_blob(_statement, _table.IndexOf(column)).ToArray();

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(result, _database);
    }
}
