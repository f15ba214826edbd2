using System.Globalization;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Statements on a connection, and our types to and from SQLite's: ids are 16 big-endian bytes, times are Unix milliseconds, booleans are 0
/// and 1.
/// </summary>
internal static class SqliteRows
{
    /// <summary>Runs a statement once with the values of <c>$1</c>, <c>$2</c>, …; returns the rows it changed.</summary>
    public static int Execute(this SqliteConnection connection, string sql, params ReadOnlySpan<object?> values)
    {
        using var statement = new SqliteStatement(connection, sql);
        return statement.Execute(values);
    }

    /// <summary>Runs a query once; returns its rows.</summary>
    public static List<T> Query<T>(
        this SqliteConnection connection,
        string sql,
        Func<SqliteDataReader, T> read,
        params ReadOnlySpan<object?> values)
    {
        using var statement = new SqliteStatement(connection, sql);
        return statement.Query(read, values);
    }

    /// <summary>Reads an id.</summary>
    public static EventId GetEventId(this SqliteDataReader row, int column) => EventId.FromBytes(row.GetFieldValue<byte[]>(column));

    /// <summary>Reads a UUID.</summary>
    public static Guid GetUuid(this SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);

    /// <summary>Reads a time.</summary>
    public static DateTimeOffset GetTime(this SqliteDataReader row, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    /// <summary>Reads a nullable time.</summary>
    public static DateTimeOffset? GetTimeOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetTime(column);

    /// <summary>Reads a nullable trace.</summary>
    public static TraceParent GetTraceParent(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? default : TraceParent.FromBytes(row.GetFieldValue<byte[]>(column));

    /// <summary>A value as the driver takes it.</summary>
    public static object ToColumn(object? value) => value switch
    {
        null => DBNull.Value,
        EventId id => id.ToByteArray(),
        Guid uuid => uuid.ToByteArray(bigEndian: true),
        DateTimeOffset time => time.ToUnixTimeMilliseconds(),
        bool flag => flag ? 1L : 0L,
        Enum member => Convert.ToInt64(member, CultureInfo.InvariantCulture),
        _ => value,
    };
}
