using System.Data.Common;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// Reads the columns of a row of either store, by what its driver gives: a UUID is PostgreSQL's uuid or 16 big-endian bytes, a time is a
/// timestamptz or Unix milliseconds. For rows that are read alike; what only one store reads goes by its own <c>PostgresRows</c> or
/// <c>SqliteRows</c>.
/// </summary>
internal static class StoredColumns
{
    /// <summary>Reads a UUID.</summary>
    public static Guid GetUuid(this DbDataReader row, int column) => row.GetValue(column) switch
    {
        Guid uuid => uuid,
        byte[] bytes => new Guid(bytes, bigEndian: true),
        var other => throw new InvalidCastException($"Column {column} is a {other.GetType().Name} and no UUID."),
    };

    /// <summary>Reads a nullable UUID.</summary>
    public static Guid? GetUuidOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetUuid(column);

    /// <summary>Reads an event's id.</summary>
    public static EventId GetEventId(this DbDataReader row, int column) => EventId.FromGuid(row.GetUuid(column));

    /// <summary>Reads a nullable event's id.</summary>
    public static EventId? GetEventIdOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetEventId(column);

    /// <summary>Reads a time.</summary>
    public static DateTimeOffset GetTime(this DbDataReader row, int column) => row.GetValue(column) switch
    {
        DateTime utc => new DateTimeOffset(utc),
        long milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
        var other => throw new InvalidCastException($"Column {column} is a {other.GetType().Name} and no time."),
    };

    /// <summary>Reads a nullable time.</summary>
    public static DateTimeOffset? GetTimeOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetTime(column);

    /// <summary>Reads a nullable text.</summary>
    public static string? GetTextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>Reads a nullable integer.</summary>
    public static int? GetIntOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);
}
