namespace ZapierTriggers.Server.Storage.Moving;

/// <summary>What a column holds, which decides its bytes in COPY's binary format.</summary>
internal enum ColumnKind
{
    /// <summary>smallint.</summary>
    Small,

    /// <summary>integer.</summary>
    Integer,

    /// <summary>bigint.</summary>
    Big,

    /// <summary>boolean; SQLite: 0 or 1.</summary>
    Boolean,

    /// <summary>timestamptz; SQLite: Unix milliseconds.</summary>
    Time,

    /// <summary>uuid; SQLite: 16 bytes.</summary>
    Uuid,

    /// <summary>text.</summary>
    Text,

    /// <summary>bytea.</summary>
    Bytes,
}

/// <summary>A column of both stores.</summary>
/// <param name="Name">The same in both.</param>
/// <param name="Kind">What it holds.</param>
internal readonly record struct MovedColumn(string Name, ColumnKind Kind);

/// <summary>A table of both stores.</summary>
/// <param name="Name">The same in both.</param>
/// <param name="Columns">In the order in which they are copied.</param>
/// <param name="Key">The primary key, as indexes of columns: rows are copied in its order.</param>
internal sealed record MovedTable(string Name, IReadOnlyList<MovedColumn> Columns, IReadOnlyList<int> Key)
{
    /// <summary>The events' table, the only one of partitions.</summary>
    public const string Events = "events";

    /// <summary>Where events go that Postgres would refuse.</summary>
    public const string Quarantine = "quarantine";

    /// <summary>The columns for a statement.</summary>
    public string ColumnList => string.Join(", ", Columns.Select(column => column.Name));

    /// <summary>The key's columns for a statement.</summary>
    public string KeyList => string.Join(", ", Key.Select(index => Columns[index].Name));

    /// <summary>The index of a column. Throws when there is none.</summary>
    public int IndexOf(string column)
    {
        for (var index = 0; index < Columns.Count; index++)
            if (Columns[index].Name == column) return index;
        throw new InvalidOperationException($"{Name} has no column {column}.");
    }
}

/// <summary>Rows, and the sum of their hashes, which does not depend on their order.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Sum">Sum of each row's XxHash128, modulo 2^128.</param>
internal readonly record struct TableDigest(long Rows, UInt128 Sum)
{
    /// <summary>With one row more.</summary>
    public TableDigest With(ReadOnlySpan<byte> row) => new(Rows + 1, unchecked(Sum + System.IO.Hashing.XxHash128.HashToUInt128(row)));
}
