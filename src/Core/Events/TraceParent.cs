using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// The trace that an event belongs to: the fields of a <c>traceparent</c> header of version 00 (W3C Trace Context, 3.2), in 25 bytes. The
/// default value is none: a parent id is never all zeros.
/// </summary>
/// <param name="TraceHigh">The first 8 bytes of the trace id, big-endian.</param>
/// <param name="TraceLow">The last 8 bytes of the trace id.</param>
/// <param name="ParentId">The id of the span that sent it; not 0.</param>
/// <param name="Flags">The trace flags, as sent.</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct TraceParent(ulong TraceHigh, ulong TraceLow, ulong ParentId, byte Flags)
{
    /// <summary>Bytes in a frame and in a column.</summary>
    public const int ByteLength = 25;

    /// <summary>Characters of the header: <c>00-</c>, 32 and 16 and 2 of hex with dashes between.</summary>
    public const int TextLength = 55;

    /// <summary>Whether there is none.</summary>
    public bool IsNone => ParentId == 0;

    /// <summary>Bytes that it takes in a frame: none where there is none.</summary>
    public int StoredLength => IsNone ? 0 : ByteLength;

    /// <summary>
    /// Reads a header. False for all that is not of version 00 to the letter: other lengths, upper case, ids of zeros, other versions.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TraceParent parsed)
    {
        parsed = default;
        if (text.Length != TextLength || !text.StartsWith("00-") || text[35] != '-' || text[52] != '-') return false;
        if (!TryHex(text.Slice(3, 16), out var high) || !TryHex(text.Slice(19, 16), out var low)) return false;
        if (!TryHex(text.Slice(36, 16), out var parent) || !TryHex(text[53..], out var flags)) return false;
        if ((high | low) == 0 || parent == 0) return false;
        parsed = new TraceParent(high, low, parent, (byte)flags);
        return true;
    }

    /// <summary>Reads what <see cref="WriteBytes"/> wrote; none for any other number of bytes.</summary>
    public static TraceParent FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length != ByteLength
        ? default
        : new TraceParent(
            BinaryPrimitives.ReadUInt64BigEndian(bytes),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            bytes[24]);

    /// <summary>Trace id, parent id and flags, in the order of the header.</summary>
    public void WriteBytes(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, TraceHigh);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], TraceLow);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], ParentId);
        destination[24] = Flags;
    }

    /// <summary>The header's text; empty where there is none.</summary>
    public override string ToString() => IsNone
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"00-{TraceHigh:x16}{TraceLow:x16}-{ParentId:x16}-{Flags:x2}");

    private static bool TryHex(ReadOnlySpan<char> text, out ulong value)
    {
        value = 0;
        foreach (var character in text)
        {
            var digit = character is >= '0' and <= '9' ? character - '0' : character is >= 'a' and <= 'f' ? character - 'a' + 10 : -1;
            if (digit < 0) return false;
            value = (value << 4) | (uint)digit;
        }

        return true;
    }
}
