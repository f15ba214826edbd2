using System.Buffers.Binary;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// The bytes in which a refused event is kept: whatever a column would not take, a blob does. Integers are big-endian.
/// <code>
/// +-----------+--------------+-------------+----------+-------------+--------------+-------------+--------------+---------+
/// | version 1 | payload hash | type length | type     | dedup length| dedup id     | key length  | ordering key | payload |
/// | 1 byte    | 8 bytes      | 4 bytes     | n bytes  | 4 bytes     | n bytes      | 4 bytes     | n bytes      | the rest|
/// +-----------+--------------+-------------+----------+-------------+--------------+-------------+--------------+---------+
/// </code>
/// Version 2 has the 25 bytes of <see cref="TraceParent"/> before the payload; it is written only where there is one.
/// </summary>
internal static class QuarantinedRow
{
    private const byte Version = 1;
    private const byte TracedVersion = 2;
    private const int FixedBytes = 1 + 8 + 3 * 4;

    /// <summary>Encodes everything but the two ids, which have columns.</summary>
    public static byte[] Encode(in JournaledEvent refused)
    {
        var row = new byte[FixedBytes + refused.Type.Length + refused.DedupId.Length + refused.OrderingKey.Length
            + refused.TraceParent.StoredLength + refused.Payload.Length];
        row[0] = refused.TraceParent.IsNone ? Version : TracedVersion;
        BinaryPrimitives.WriteUInt64BigEndian(row.AsSpan(1), refused.PayloadHash);
        var at = 9;
        Append(row, ref at, refused.Type.Span);
        Append(row, ref at, refused.DedupId.Span);
        Append(row, ref at, refused.OrderingKey.Span);
        if (!refused.TraceParent.IsNone) refused.TraceParent.WriteBytes(row.AsSpan(at));
        at += refused.TraceParent.StoredLength;
        refused.Payload.Span.CopyTo(row.AsSpan(at));
        return row;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote. Throws <see cref="FormatException"/> for another version.</summary>
    public static JournaledEvent Decode(int organizationNo, EventId id, ReadOnlyMemory<byte> row)
    {
        if (row.IsEmpty || row.Span[0] is not (Version or TracedVersion))
            throw new FormatException("The quarantined row has an unknown version.");
        var at = 9;
        var known = new JournaledEvent
        {
            OrganizationNo = organizationNo,
            Id = id,
            PayloadHash = BinaryPrimitives.ReadUInt64BigEndian(row.Span[1..]),
            Type = Take(row, ref at),
            DedupId = Take(row, ref at),
            OrderingKey = Take(row, ref at),
            Payload = default,
        };
        var traceLength = row.Span[0] == TracedVersion ? TraceParent.ByteLength : 0;
        return known with { TraceParent = TraceParent.FromBytes(row.Span.Slice(at, traceLength)), Payload = row[(at + traceLength)..] };
    }

    private static void Append(Span<byte> row, ref int at, ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteInt32BigEndian(row[at..], field.Length);
        field.CopyTo(row[(at + 4)..]);
        at += 4 + field.Length;
    }

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> row, ref int at)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(row.Span[at..]);
        var field = row.Slice(at + 4, length);
        at += 4 + length;
        return field;
    }
}
