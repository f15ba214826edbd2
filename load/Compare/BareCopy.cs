using System.Diagnostics;
using System.Globalization;

namespace ZapierTriggers.Load.Compare;

/// <summary>
/// The yardstick of the way into PostgreSQL: one raw binary COPY of rows that are encoded already, into a table of the same definition
/// (partition, primary key, index) in the same database.
/// </summary>
internal sealed class BareCopy(TemporaryPostgres postgres)
{
    private const string Columns = "organization_no, id, type, dedup_id, ordering_key, payload_hash, payload";
    private const int ChunkBytes = 1 << 20; // As the server sends them.

    private Guid _readThrough;

    /// <summary>Rows copied so far.</summary>
    public long Copied { get; private set; }

    /// <summary>Makes the table.</summary>
    public Task PrepareAsync(CancellationToken stop) => postgres.RunAsync(
        """
        CREATE TABLE bare_events (LIKE events INCLUDING ALL) PARTITION BY RANGE (id);
        CREATE TABLE bare_events_all (LIKE events INCLUDING ALL);
        ALTER TABLE bare_events ATTACH PARTITION bare_events_all FOR VALUES FROM (MINVALUE) TO (MAXVALUE)
        """,
        stop);

    /// <summary>Reads what the server has stored since the last call, as a COPY stream.</summary>
    public async Task<(byte[] Stream, long Rows)> ReadNewAsync(CancellationToken stop)
    {
        var last = (Guid?)await postgres.RunAsync("SELECT id FROM events ORDER BY id DESC LIMIT 1", stop) ?? _readThrough;
        var range = string.Create(CultureInfo.InvariantCulture, $"FROM events WHERE id > '{_readThrough}' AND id <= '{last}'");
        var rows = (long)(await postgres.RunAsync($"SELECT count(*) {range}", stop))!;
        await using var connection = await postgres.OpenAsync(stop);
        await using var source = await connection.BeginRawBinaryCopyAsync(
            $"COPY (SELECT {Columns} {range} ORDER BY id) TO STDOUT (FORMAT binary)", stop);
        using var stream = new MemoryStream();
        await source.CopyToAsync(stream, stop);
        _readThrough = last;
        return (stream.ToArray(), rows);
    }

    /// <summary>Copies such a stream in; returns the time until it is committed.</summary>
    public async Task<TimeSpan> WriteAsync(byte[] stream, long rows, CancellationToken stop)
    {
        await using var connection = await postgres.OpenAsync(stop);
        var start = Stopwatch.GetTimestamp();
        var copy = $"COPY bare_events ({Columns}) FROM STDIN (FORMAT binary)";
        await using (var target = await connection.BeginRawBinaryCopyAsync(copy, stop))
        {
            for (var at = 0; at < stream.Length; at += ChunkBytes)
                await target.WriteAsync(stream.AsMemory(at, Math.Min(ChunkBytes, stream.Length - at)), stop);
        }

        Copied += rows;
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Rows of the table that are not, byte for byte, among the server's; and how many rows it has.</summary>
    public async Task<(long Different, long Rows)> CompareAsync(CancellationToken stop)
    {
        var different = (long)(await postgres.RunAsync(
            $"SELECT count(*) FROM (SELECT {Columns} FROM bare_events EXCEPT ALL SELECT {Columns} FROM events) d", stop))!;
        return (different, (long)(await postgres.RunAsync("SELECT count(*) FROM bare_events", stop))!);
    }
}
