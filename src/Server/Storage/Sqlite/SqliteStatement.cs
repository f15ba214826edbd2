using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>A statement that is prepared once and run with changing values of <c>$1</c>, <c>$2</c>, ….</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly SqliteCommand _command;

    /// <summary>Prepared on first use.</summary>
    public SqliteStatement(SqliteConnection connection, string sql)
    {
        _command = connection.CreateCommand();
        _command.CommandText = sql;
    }

    /// <summary>Runs it; returns the rows it changed.</summary>
    public int Execute(params ReadOnlySpan<object?> values)
    {
        Bind(values);
        return _command.ExecuteNonQuery();
    }

    /// <summary>Runs it; returns its rows.</summary>
    public List<T> Query<T>(Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var reader = Open(values);
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    /// <summary>Runs it; the caller reads row by row and may stop early.</summary>
    public SqliteDataReader Open(params ReadOnlySpan<object?> values)
    {
        Bind(values);
        return _command.ExecuteReader();
    }

    /// <inheritdoc/>
    public void Dispose() => _command.Dispose();

    private void Bind(ReadOnlySpan<object?> values)
    {
        var parameters = _command.Parameters;
        for (var index = 0; index < values.Length; index++)
        {
            var value = SqliteRows.ToColumn(values[index]);
            if (index < parameters.Count) parameters[index].Value = value;
            else parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"${index + 1}"), value);
        }
    }
}
