using System.Buffers.Binary;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Writes events in COPY's binary format (PostgreSQL manual, COPY, "Binary Format"), straight from the journal's bytes. No I/O. A stream is
/// <see cref="Header"/>, rows, <see cref="Trailer"/>. All integers are big-endian; a length of -1 is NULL.
/// <code>
/// header   "PGCOPY\n\xFF\r\n\0" | flags i32 = 0 | extension length i32 = 0
/// row      columns i16 = 8
///          | 4  | organization_no i32
///          | 16 | id
///          | n  | type, UTF-8
///          | n  | dedup_id, UTF-8      or -1
///          | n  | ordering_key, UTF-8  or -1
///          | 8  | payload_hash i64
///          | n  | payload
///          | 25 | traceparent          or -1
/// trailer  i16 = -1
/// </code>
/// </summary>
internal static class EventCopyEncoder
{
    /// <summary>The statement whose columns <see cref="Write"/> writes.</summary>
    public const string Sql = """
        COPY events (organization_no, id, type, dedup_id, ordering_key, payload_hash, payload, traceparent) FROM STDIN (FORMAT binary)
        """;

    private const short Columns = 8;

    /// <summary>Column count, eight lengths, and the three columns of fixed width.</summary>
    private const int FixedBytes = sizeof(short) + Columns * sizeof(int) + sizeof(int) + EventId.ByteLength + sizeof(long);

    /// <summary>What a stream begins with.</summary>
    public static ReadOnlySpan<byte> Header =>
        [(byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xFF, (byte)'\r', (byte)'\n', 0,
         0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>What a stream ends with.</summary>
    public static ReadOnlySpan<byte> Trailer => [0xFF, 0xFF];

    /// <summary>Bytes that <see cref="Write"/> will write.</summary>
    public static int Measure(in JournaledEvent journaled) =>
        FixedBytes + journaled.Type.Length + journaled.DedupId.Length + journaled.OrderingKey.Length + journaled.Payload.Length
        + journaled.TraceParent.StoredLength;

    /// <summary>Writes one row; returns its bytes. The destination must hold <see cref="Measure"/> of them.</summary>
    public static int Write(Span<byte> destination, in JournaledEvent journaled)
    {
        var at = 0;
        BinaryPrimitives.WriteInt16BigEndian(destination, Columns);
        at += sizeof(short);
        WriteLength(destination, ref at, sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(destination[at..], journaled.OrganizationNo);
        at += sizeof(int);
        WriteLength(destination, ref at, EventId.ByteLength);
        journaled.Id.WriteBytes(destination[at..]);
        at += EventId.ByteLength;
        WriteField(destination, ref at, journaled.Type.Span);
        WriteOptional(destination, ref at, journaled.DedupId.Span);
        WriteOptional(destination, ref at, journaled.OrderingKey.Span);
        WriteLength(destination, ref at, sizeof(long));
        BinaryPrimitives.WriteUInt64BigEndian(destination[at..], journaled.PayloadHash);
        at += sizeof(long);
        WriteField(destination, ref at, journaled.Payload.Span);
        if (journaled.TraceParent.IsNone)
        {
            WriteLength(destination, ref at, -1);
            return at;
        }

        WriteLength(destination, ref at, TraceParent.ByteLength);
        journaled.TraceParent.WriteBytes(destination[at..]);
        return at + TraceParent.ByteLength;
    }

    private static void WriteOptional(Span<byte> destination, ref int at, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) WriteLength(destination, ref at, -1);
        else WriteField(destination, ref at, value);
    }

    private static void WriteField(Span<byte> destination, ref int at, ReadOnlySpan<byte> value)
    {
        WriteLength(destination, ref at, value.Length);
        value.CopyTo(destination[at..]);
        at += value.Length;
    }

    private static void WriteLength(Span<byte> destination, ref int at, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination[at..], length);
        at += sizeof(int);
    }
}
