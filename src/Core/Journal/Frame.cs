using System.Buffers.Binary;
using System.IO.Hashing;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// One event in the ring and in the segments, version 1, little-endian, a multiple of 8 bytes long:
/// <code>
///  0 u64 checksum of bytes 8 to the end of the texts: XxHash3, seeded with the data directory's secret and the sequence
///  8 u32 frame length, all of it with padding       12 u16 header length: 64 + texts     14 u8 kind (1 = event, 2 = erased)    15 u8 1 = told by the server itself
/// 16 i64 sequence                                    24 u64 id, high                       32 u64 id, low
/// 40 u64 payload hash: XxHash3, seed 0               48 i32 organization                   52 u32 payload length
/// 56 u16 type bytes      58 u16 dedup id bytes       60 u16 ordering key bytes             62 u16 trace bytes: 0 or 25
/// 64 type, dedup id, ordering key, trace, payload, zero padding
/// </code>
/// The trace is that of <see cref="TraceParent"/>. Readers from before there was one pass over it: they find the payload by the header's
/// length. They take no header longer than without it, so it is left out where the header would be. The header covers the payload's hash,
/// so both parts are proven, each alone: a bad header ends a segment, a bad payload costs only itself. The secret keeps a payload from
/// posing as a frame; the sequence keeps an old frame from posing as a new one. Eight zero bytes where a frame would start are the end.
/// </summary>
internal static class Frame
{
    /// <summary>Bytes before the texts.</summary>
    public const int FixedLength = 64;

    /// <summary>
    /// Longest header: three texts of 255 characters, four bytes each. It must not grow: to former readers a longer one is damage.
    /// </summary>
    public const int MaxHeaderLength = FixedLength + (3 * 255 * 4);

    /// <summary>Longest frame, with the contract's largest payload.</summary>
    public const int MaxLength = (MaxHeaderLength + EventLimits.MaxPayloadBytes + 7) & ~7;

    private const byte EventKind = 1;
    private const byte ErasedKind = 2;

    // Versions from before there was one write zero and pass over it.
    private const byte OperationalFlag = 1;

    /// <summary>Bytes that a frame with these parts takes.</summary>
    public static int LengthOf(int typeBytes, int dedupIdBytes, int orderingKeyBytes, int payloadBytes, int traceBytes = 0) =>
        (FixedLength + typeBytes + dedupIdBytes + orderingKeyBytes + traceBytes + payloadBytes + 7) & ~7;

    /// <summary>Bytes that the event's frame takes.</summary>
    public static int LengthOf(in JournaledEvent item) =>
        LengthOf(item.Type.Length, item.DedupId.Length, item.OrderingKey.Length, item.Payload.Length, TraceLengthOf(item));

    /// <summary>
    /// Writes the frame. The payload goes first and the checksum last, so that a frame with a good header is whole even when the process
    /// dies in between.
    /// </summary>
    /// <param name="destination">Exactly <see cref="LengthOf(in JournaledEvent)"/> bytes.</param>
    /// <param name="item">The event; its id must be issued.</param>
    /// <param name="sequence">The frame's place in the journal.</param>
    /// <param name="secret">The data directory's secret.</param>
    public static void Write(Span<byte> destination, in JournaledEvent item, long sequence, ulong secret)
    {
        var type = item.Type.Span;
        var dedupId = item.DedupId.Span;
        var orderingKey = item.OrderingKey.Span;
        var payload = item.Payload.Span;
        var traceAt = FixedLength + type.Length + dedupId.Length + orderingKey.Length;
        var traceLength = TraceLengthOf(item);
        var headerLength = traceAt + traceLength;

        payload.CopyTo(destination[headerLength..]);
        destination[(headerLength + payload.Length)..].Clear();
        type.CopyTo(destination[FixedLength..]);
        dedupId.CopyTo(destination[(FixedLength + type.Length)..]);
        orderingKey.CopyTo(destination[(FixedLength + type.Length + dedupId.Length)..]);
        if (traceLength > 0) item.TraceParent.WriteBytes(destination[traceAt..]);

        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)destination.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[12..], (ushort)headerLength);
        destination[14] = EventKind;
        destination[15] = item.IsOperational ? OperationalFlag : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[24..], item.Id.High);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[32..], item.Id.Low);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[40..], item.PayloadHash);
        BinaryPrimitives.WriteInt32LittleEndian(destination[48..], item.OrganizationNo);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[52..], (uint)payload.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[56..], (ushort)type.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[58..], (ushort)dedupId.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[60..], (ushort)orderingKey.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[62..], (ushort)traceLength);

        var checksum = Checksum(destination[8..headerLength], sequence, secret);
        Thread.MemoryBarrier();
        BinaryPrimitives.WriteUInt64LittleEndian(destination, checksum);
    }

    /// <summary>
    /// Makes a frame that was read one of an erased event, in place: sequence, id and organization stay, texts, payload and hash are zeros.
    /// </summary>
    public static void Erase(Span<byte> frame, ulong secret)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(frame[12..], FixedLength);
        frame[14] = ErasedKind;
        frame[40..48].Clear();
        frame[52..].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(frame, Checksum(frame[8..FixedLength], PeekSequence(frame), secret));
    }

    /// <summary>
    /// Length of the frame at the start of <paramref name="source"/>, which its writer has just written (not for recovery: nothing is
    /// checked).
    /// </summary>
    public static int PeekLength(ReadOnlySpan<byte> source) => (int)BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);

    /// <summary>Sequence of a frame that is known to be good.</summary>
    public static long PeekSequence(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt64LittleEndian(source[16..]);

    /// <summary>Position (high word of the id) of a frame that is known to be good.</summary>
    public static ulong PeekPosition(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt64LittleEndian(source[24..]);

    /// <summary>Reads and proves the frame at the start of <paramref name="source"/>.</summary>
    /// <param name="source">Bytes from the frame's start on; may end before the frame does.</param>
    /// <param name="secret">The data directory's secret.</param>
    /// <param name="frame">The frame, for <see cref="FrameState.Good"/> and <see cref="FrameState.BadPayload"/>.</param>
    public static FrameState Read(ReadOnlyMemory<byte> source, ulong secret, out ReadFrame frame)
    {
        frame = default;
        var bytes = source.Span;
        if (bytes.Length < 8) return FrameState.Incomplete;
        var checksum = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (bytes.Length < FixedLength) return checksum == 0 ? FrameState.End : FrameState.Incomplete;

        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (checksum == 0 && length == 0) return FrameState.End;
        int headerLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]);
        if (length > MaxLength || length % 8 != 0) return FrameState.BadHeader;
        if (headerLength < FixedLength || headerLength > MaxHeaderLength || headerLength > length) return FrameState.BadHeader;
        if (bytes.Length < headerLength) return FrameState.Incomplete;

        var sequence = PeekSequence(bytes);
        if (checksum != Checksum(bytes[8..headerLength], sequence, secret)) return FrameState.BadHeader;
        if (bytes[14] is not (EventKind or ErasedKind)) return FrameState.BadHeader;

        // From here on the header is proven, so its lengths fit each other.
        if (bytes.Length < length) return FrameState.Incomplete;
        var item = Parse(source, headerLength);
        if (bytes[14] == ErasedKind)
        {
            frame = new ReadFrame(sequence, source[..(int)length], item, IsWhole: false, IsErased: true);
            return FrameState.Good;
        }

        var isWhole = XxHash3.HashToUInt64(item.Payload.Span) == item.PayloadHash;
        frame = new ReadFrame(sequence, source[..(int)length], item, isWhole);
        return isWhole ? FrameState.Good : FrameState.BadPayload;
    }

    /// <summary>Bytes of the event's trace in its frame: none where the header would be too long with it.</summary>
    private static int TraceLengthOf(in JournaledEvent item)
    {
        var without = FixedLength + item.Type.Length + item.DedupId.Length + item.OrderingKey.Length;
        return without + item.TraceParent.StoredLength > MaxHeaderLength ? 0 : item.TraceParent.StoredLength;
    }

    private static JournaledEvent Parse(ReadOnlyMemory<byte> source, int headerLength)
    {
        var bytes = source.Span;
        int typeLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[56..]);
        int dedupLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[58..]);
        int orderingLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[60..]);
        int traceLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[62..]);
        return new JournaledEvent
        {
            OrganizationNo = BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]),
            Id = new EventId(BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..])),
            PayloadHash = BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]),
            Type = source.Slice(FixedLength, typeLength),
            DedupId = source.Slice(FixedLength + typeLength, dedupLength),
            OrderingKey = source.Slice(FixedLength + typeLength + dedupLength, orderingLength),
            IsOperational = (bytes[15] & OperationalFlag) != 0,
            TraceParent = TraceParent.FromBytes(bytes.Slice(FixedLength + typeLength + dedupLength + orderingLength, traceLength)),
            Payload = source.Slice(headerLength, (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes[52..])),
        };
    }

    private static ulong Checksum(ReadOnlySpan<byte> header, long sequence, ulong secret) =>
        XxHash3.HashToUInt64(header, (long)(secret ^ ((ulong)sequence * 0x9E37_79B9_7F4A_7C15)));
}

/// <summary>What stands where a frame is expected.</summary>
internal enum FrameState
{
    /// <summary>A whole, proven frame.</summary>
    Good,

    /// <summary>Zeros: nothing was written here.</summary>
    End,

    /// <summary>The bytes end before the frame does.</summary>
    Incomplete,

    /// <summary>Not a frame of this data directory: a torn write, or damage.</summary>
    BadHeader,

    /// <summary>A proven header whose payload is damaged: the event is known, its bytes are not.</summary>
    BadPayload,
}

/// <summary>A frame that was read.</summary>
/// <param name="Sequence">Its place in the journal.</param>
/// <param name="Bytes">All of it, with padding.</param>
/// <param name="Event">The event; its memories point into the bytes.</param>
/// <param name="IsWhole">Whether the payload is what was accepted; false = the event is known, its bytes are not.</param>
/// <param name="IsErased">Whether that is so because it was erased by request.</param>
internal readonly record struct ReadFrame(
    long Sequence, ReadOnlyMemory<byte> Bytes, JournaledEvent Event, bool IsWhole, bool IsErased = false)
{
    /// <summary>Its bytes with padding.</summary>
    public int Length => Bytes.Length;
}
