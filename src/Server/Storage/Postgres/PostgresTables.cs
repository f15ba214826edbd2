using Npgsql;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Moving;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>The tables of a database that is filled by a move, and the mark that it is not full yet.</summary>
internal sealed class PostgresTables(PostgresDatabase database)
{
    private const string Columns = """
        SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL), coalesce(array_position(k.conkey, a.attnum), 0)
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
        WHERE c.relnamespace = current_schema()::text::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname, a.attnum
        """;

    private const string Versions = """
        SELECT version FROM schema_versions ORDER BY version DESC LIMIT 1
        """;

    private const string SetMark = """
        INSERT INTO schema_versions (version, name) VALUES ($1, 'a move that has not ended') ON CONFLICT DO NOTHING
        """;

    private const string RemoveMark = """
        DELETE FROM schema_versions WHERE version = $1
        """;

    private const string SetAside = """
        INSERT INTO quarantine (organization_no, id, shard, event, reason, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
        """;

    /// <summary>All tables of the schema, partitions under their parent's name. Throws for a type that cannot be moved.</summary>
    public async Task<IReadOnlyDictionary<string, MovedTable>> ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Columns,
            _ => { },
            row => (Table: row.GetString(0), Column: row.GetString(1), Type: row.GetString(2), Key: row.GetInt32(3)),
            cancellationToken);
        return rows.GroupBy(row => row.Table, StringComparer.Ordinal).ToDictionary(
            table => table.Key,
            table => new MovedTable(
                table.Key,
                [.. table.Select(row => new MovedColumn(row.Column, KindOf(row.Type)))],
                [.. table.Select((row, index) => (row.Key, index)).Where(one => one.Key > 0).OrderBy(one => one.Key).Select(one => one.index)]),
            StringComparer.Ordinal);
    }

    /// <summary>Whether a move was begun and has not ended.</summary>
    public async Task<bool> IsMarkedAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(Versions, _ => { }, row => row.GetInt32(0), cancellationToken) is [SchemaVersion.BeingFilled];

    /// <summary>From here on no server starts on the database.</summary>
    public Task MarkAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync(SetMark, parameters => parameters.With(SchemaVersion.BeingFilled), cancellationToken);

    /// <summary>It is full.</summary>
    public Task UnmarkAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync(RemoveMark, parameters => parameters.With(SchemaVersion.BeingFilled), cancellationToken);

    /// <summary>Whether a table has rows.</summary>
    public async Task<bool> HasRowsAsync(string table, CancellationToken cancellationToken) =>
        (await database.QueryAsync($"SELECT EXISTS (SELECT 1 FROM {table})", _ => { }, row => row.GetBoolean(0), cancellationToken))[0];

    /// <summary>The greatest key in a table, as SQLite holds it; empty when there are no rows.</summary>
    public async Task<IReadOnlyList<object>> LastKeyAsync(MovedTable table, CancellationToken cancellationToken)
    {
        var order = string.Join(", ", table.Key.Select(index => $"{table.Columns[index].Name} DESC"));
        var found = await database.QueryAsync(
            $"SELECT {table.KeyList} FROM {table.Name} ORDER BY {order} LIMIT 1",
            _ => { },
            row => Enumerable.Range(0, row.FieldCount).Select(index => AsSqlite(row.GetValue(index))).ToArray(),
            cancellationToken);
        return found.Count == 0 ? [] : found[0];
    }

    /// <summary>Sets an event aside in the connection's transaction; once.</summary>
    public static Task SetAsideAsync(NpgsqlConnection connection, RefusedRow refused, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            SetAside,
            parameters => parameters.With(refused.Event.OrganizationNo).With(refused.Event.Id).With(RefusedRow.Shard)
                .With(QuarantinedRow.Encode(refused.Event)).With(RefusedRow.Reason).With(refused.Event.Id.AcceptedAt),
            cancellationToken);

    private static object AsSqlite(object value) => value switch
    {
        Guid uuid => uuid.ToByteArray(bigEndian: true),
        _ => Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture),
    };

    private static ColumnKind KindOf(string type) => type switch
    {
        "smallint" => ColumnKind.Small,
        "integer" => ColumnKind.Integer,
        "bigint" => ColumnKind.Big,
        "boolean" => ColumnKind.Boolean,
        "timestamp with time zone" => ColumnKind.Time,
        "uuid" => ColumnKind.Uuid,
        "text" => ColumnKind.Text,
        "bytea" => ColumnKind.Bytes,
        _ => throw new StoreException(
            StoreFailure.Fault, $"A column has the type {type}, which no move knows; is the table one of the server's?"),
    };
}
