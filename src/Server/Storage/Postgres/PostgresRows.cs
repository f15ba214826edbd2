using Npgsql;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Our types to and from the driver's.</summary>
internal static class PostgresRows
{
    /// <summary>Adds the next positional parameter (<c>$1</c>, <c>$2</c>, …) without boxing; null is NULL of the type.</summary>
    public static NpgsqlParameterCollection With<T>(this NpgsqlParameterCollection parameters, T value)
    {
        parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return parameters;
    }

    /// <summary>Adds an id as a uuid.</summary>
    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, EventId id) => parameters.With(id.ToGuid());

    /// <summary>Reads a uuid column as an id.</summary>
    public static EventId GetEventId(this NpgsqlDataReader reader, int column) => EventId.FromGuid(reader.GetGuid(column));

    /// <summary>Reads a timestamptz column.</summary>
    public static DateTimeOffset GetTime(this NpgsqlDataReader reader, int column) => reader.GetFieldValue<DateTimeOffset>(column);

    /// <summary>Reads a nullable timestamptz column.</summary>
    public static DateTimeOffset? GetTimeOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetTime(column);

    /// <summary>Reads a nullable column of a trace.</summary>
    public static TraceParent GetTraceParent(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? default : TraceParent.FromBytes(reader.GetFieldValue<byte[]>(column));

    /// <summary>Runs one statement in the connection's transaction; returns the rows it affected.</summary>
    public static async Task<int> ExecuteAsync(
        this NpgsqlConnection connection, string sql, Action<NpgsqlParameterCollection> bind, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        bind(command.Parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs one query in the connection's transaction; returns its rows.</summary>
    public static async Task<List<T>> QueryAsync<T>(
        this NpgsqlConnection connection,
        string sql,
        Action<NpgsqlParameterCollection> bind,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        bind(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAllAsync(read, cancellationToken);
    }

    /// <summary>Reads the rest of the current result.</summary>
    public static async Task<List<T>> ReadAllAsync<T>(
        this NpgsqlDataReader reader,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }
}
