using System.Buffers.Binary;
using Npgsql;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Moving;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Whole tables by binary COPY, in and out.</summary>
internal static class PostgresTableCopy
{
    /// <summary>How long one piece of a COPY may take, milliseconds: the database may be busy with what came before.</summary>
    private const int Patience = 600_000;

    private const int BufferBytes = 1 << 20;

    /// <summary>Appends rows, in the connection's transaction.</summary>
    public static async Task AppendAsync(
        NpgsqlConnection connection, MovedTable table, ReadOnlyMemory<byte> rows, CancellationToken cancellationToken)
    {
        var sql = $"COPY {table.Name} ({table.ColumnList}) FROM STDIN (FORMAT binary)";
        var stream = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken);
        stream.WriteTimeout = stream.ReadTimeout = Patience;
        await stream.WriteAsync(EventCopyEncoder.Header.ToArray(), cancellationToken);
        await stream.WriteAsync(rows, cancellationToken);
        await stream.WriteAsync(EventCopyEncoder.Trailer.ToArray(), cancellationToken);
        await stream.DisposeAsync();
    }

    /// <summary>Reads all rows; tells how many were read from time to time.</summary>
    public static Task<TableDigest> DigestAsync(
        PostgresDatabase database, MovedTable table, Action<long> told, CancellationToken cancellationToken) =>
        database.RunAsync(
            async connection =>
            {
                var sql = $"COPY (SELECT {table.ColumnList} FROM {table.Name}) TO STDOUT (FORMAT binary)";
                await using var stream = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken);
                stream.ReadTimeout = Patience;
                return await ReadAsync(stream, told, cancellationToken);
            },
            cancellationToken);

    private static async Task<TableDigest> ReadAsync(Stream stream, Action<long> told, CancellationToken cancellationToken)
    {
        var (buffer, start, end) = (new byte[BufferBytes], 0, 0);
        var digest = default(TableDigest);
        var isBehindHeader = false;
        while (true)
        {
            if (!isBehindHeader && end >= EventCopyEncoder.Header.Length) (isBehindHeader, start) = (true, EventCopyEncoder.Header.Length);
            while (isBehindHeader && RowLength(buffer.AsSpan(start, end - start)) is { } length)
            {
                if (length == 0)
                {
                    told(digest.Rows);
                    return digest;
                }

                digest = digest.With(buffer.AsSpan(start, length));
                start += length;
            }

            told(digest.Rows);
            if (isBehindHeader && start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }

            if (end == buffer.Length) Array.Resize(ref buffer, 2 * buffer.Length);
            var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0) throw new StoreException(StoreFailure.Fault, "A COPY from the database ended before its end.");
            end += read;
        }
    }

    /// <summary>The length of the row that begins there; 0 for the trailer; null when it is not all there.</summary>
    private static int? RowLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < sizeof(short)) return null;
        var columns = BinaryPrimitives.ReadInt16BigEndian(bytes);
        if (columns < 0) return 0;
        var at = sizeof(short);
        for (; columns > 0; columns--)
        {
            if (bytes.Length - at < sizeof(int)) return null;
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
            at += sizeof(int) + Math.Max(length, 0);
            if (bytes.Length < at) return null;
        }

        return at;
    }
}
