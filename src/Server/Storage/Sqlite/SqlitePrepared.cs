using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// A statement run through SQLite's own calls, where the cost of each row counts: an event stored, an event read for its webhook, a
/// webhook's outcome. The driver's commands box each value and make a reader for each run; this neither. Values keep until they are bound
/// anew. Every member throws <see cref="SqliteException"/>. Not safe for concurrent use.
/// </summary>
internal sealed class SqlitePrepared : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    /// <summary>Prepares it. Its values are <c>?1</c>, <c>?2</c>, ….</summary>
    public SqlitePrepared(SqliteConnection connection, string sql)
    {
        _database = connection.Handle!;
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    /// <summary>Binds a number.</summary>
    public void Bind(int index, long value) => Check(raw.sqlite3_bind_int64(_statement, index, value));

    /// <summary>Binds a number or NULL.</summary>
    public void Bind(int index, int? value) =>
        Check(value is { } number ? raw.sqlite3_bind_int64(_statement, index, number) : raw.sqlite3_bind_null(_statement, index));

    /// <summary>Binds a time, in Unix milliseconds.</summary>
    public void Bind(int index, DateTimeOffset value) => Bind(index, value.ToUnixTimeMilliseconds());

    /// <summary>Binds a text or NULL.</summary>
    public void Bind(int index, string? value) =>
        Check(value is null ? raw.sqlite3_bind_null(_statement, index) : raw.sqlite3_bind_text(_statement, index, value));

    /// <summary>Binds an id: 16 bytes.</summary>
    public void Bind(int index, EventId value)
    {
        Span<byte> bytes = stackalloc byte[EventId.ByteLength];
        value.WriteBytes(bytes);
        BindBytes(index, bytes);
    }

    /// <summary>Binds a UUID: 16 bytes.</summary>
    public void Bind(int index, Guid value)
    {
        Span<byte> bytes = stackalloc byte[EventId.ByteLength];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        BindBytes(index, bytes);
    }

    /// <summary>Binds a trace, and NULL for none.</summary>
    public void Bind(int index, in TraceParent value)
    {
        if (value.IsNone)
        {
            Check(raw.sqlite3_bind_null(_statement, index));
            return;
        }

        Span<byte> bytes = stackalloc byte[TraceParent.ByteLength];
        value.WriteBytes(bytes);
        BindBytes(index, bytes);
    }

    /// <summary>Binds bytes; SQLite keeps a copy.</summary>
    public void BindBytes(int index, ReadOnlySpan<byte> value) => Check(raw.sqlite3_bind_blob(_statement, index, value));

    /// <summary>Binds a text of UTF-8; SQLite keeps a copy.</summary>
    public void BindText(int index, ReadOnlySpan<byte> utf8) => Check(raw.sqlite3_bind_text(_statement, index, utf8));

    /// <summary>Binds a text of UTF-8, and NULL for an empty one.</summary>
    public void BindOptionalText(int index, ReadOnlySpan<byte> utf8) =>
        Check(utf8.IsEmpty ? raw.sqlite3_bind_null(_statement, index) : raw.sqlite3_bind_text(_statement, index, utf8));

    /// <summary>Runs a statement that has no rows; returns how many it changed.</summary>
    public int Run()
    {
        if (Read()) throw new InvalidOperationException("The statement has rows.");
        return raw.sqlite3_changes(_database);
    }

    /// <summary>Goes to the next row; after the last one, and after a failure, the statement can be run again.</summary>
    public bool Read()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW) return true;
        if (result == raw.SQLITE_DONE)
        {
            Check(raw.sqlite3_reset(_statement));
            return false;
        }

        try
        {
            // The driver reads message and extended code from the connection, so before the reset.
            SqliteException.ThrowExceptionForRC(result, _database);
        }
        finally
        {
            _ = raw.sqlite3_reset(_statement);
        }

        return false;
    }

    /// <summary>Leaves rows unread: the statement can be run again.</summary>
    public void Reset() => Check(raw.sqlite3_reset(_statement));

    /// <summary>The row's number in a column, from 0; 0 for NULL.</summary>
    public long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    /// <summary>The row's id in a column, from 0.</summary>
    public EventId Id(int column) => EventId.FromBytes(Bytes(column));

    /// <summary>The row's bytes, or a text's UTF-8, in a column, from 0; empty for NULL. Until the next row.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    /// <summary>The row's text in a column, from 0; null for NULL.</summary>
    public string? TextOrNull(int column) =>
        raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL ? null : Encoding.UTF8.GetString(Bytes(column));

    /// <inheritdoc/>
    public void Dispose() => _statement.Dispose();

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(result, _database);
    }
}
