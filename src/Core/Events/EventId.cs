using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Unicode;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// A UUIDv7 (RFC 9562, 5.7) issued in the order of acceptance, so that it is also an event's place in line, its cursor and its
/// checkpoint. Layout, most significant bit first:
/// <code>
/// High: 48 bits Unix milliseconds | 4 bits version (7) | 12 bits counter within the millisecond
/// Low :  2 bits variant (10)      | 62 random bits
/// </code>
/// The counter stands wholly in <see cref="High"/>, so <see cref="High"/> alone is unique and strictly increasing within one shard:
/// it is the <em>position</em> that watermarks and barriers compare, one aligned 64-bit word.
/// </summary>
internal readonly struct EventId : IEquatable<EventId>, IComparable<EventId>, ISpanFormattable, IUtf8SpanFormattable
{
    /// <summary>Characters of the text form: 32 hexadecimal digits and 4 hyphens.</summary>
    public const int TextLength = 36;

    /// <summary>Bytes of the binary form, big-endian, so that byte order is id order.</summary>
    public const int ByteLength = 16;

    /// <summary>Creates an id from its two words.</summary>
    public EventId(ulong high, ulong low)
    {
        High = high;
        Low = low;
    }

    /// <summary>Time, version and counter: the position of the event in its shard.</summary>
    public ulong High { get; }

    /// <summary>Variant and random bits.</summary>
    public ulong Low { get; }

    /// <summary>Unix milliseconds at which the event was accepted.</summary>
    public long UnixMilliseconds => (long)(High >> 16);

    /// <summary>The time of acceptance, to the millisecond.</summary>
    public DateTimeOffset AcceptedAt => DateTimeOffset.FromUnixTimeMilliseconds(UnixMilliseconds);

    /// <summary>The time since it was accepted; zero where a clock was set back.</summary>
    public TimeSpan AgeAt(DateTimeOffset at) => at > AcceptedAt ? at - AcceptedAt : TimeSpan.Zero;

    /// <summary>Whether this is the zero id, which is before every issued one.</summary>
    public bool IsZero => (High | Low) == 0;

    /// <summary>The smallest value that any id of this millisecond can have; a bound for ranges, not an id.</summary>
    public static EventId LowerBound(DateTimeOffset time) => new((ulong)Math.Max(0, time.ToUnixTimeMilliseconds()) << 16, 0);

    /// <summary>Reads 16 big-endian bytes.</summary>
    public static EventId FromBytes(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Writes 16 big-endian bytes.</summary>
    public void WriteBytes(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
    }

    /// <summary>The same 16 bytes as a new array.</summary>
    public byte[] ToByteArray()
    {
        var bytes = new byte[ByteLength];
        WriteBytes(bytes);
        return bytes;
    }

    /// <summary>The same value as a <see cref="Guid"/>, for drivers that take one.</summary>
    public Guid ToGuid()
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        WriteBytes(bytes);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>The id that a <see cref="Guid"/> holds.</summary>
    public static EventId FromGuid(Guid value)
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        return FromBytes(bytes);
    }

    /// <summary>Reads the 36-character form in either case of letters; any UUID is taken, whatever its version.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EventId id)
    {
        if (UuidText.TryParse(text, out var value))
        {
            id = FromGuid(value);
            return true;
        }

        id = default;
        return false;
    }

    /// <inheritdoc/>
    public int CompareTo(EventId other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    /// <inheritdoc/>
    public bool Equals(EventId other) => High == other.High && Low == other.Low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EventId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(High, Low);

    /// <summary>Equality of all 128 bits.</summary>
    public static bool operator ==(EventId left, EventId right) => left.Equals(right);

    /// <summary>Inequality of any of the 128 bits.</summary>
    public static bool operator !=(EventId left, EventId right) => !left.Equals(right);

    /// <summary>Order of issue.</summary>
    public static bool operator <(EventId left, EventId right) => left.CompareTo(right) < 0;

    /// <summary>Order of issue.</summary>
    public static bool operator >(EventId left, EventId right) => left.CompareTo(right) > 0;

    /// <summary>Order of issue.</summary>
    public static bool operator <=(EventId left, EventId right) => left.CompareTo(right) <= 0;

    /// <summary>Order of issue.</summary>
    public static bool operator >=(EventId left, EventId right) => left.CompareTo(right) >= 0;

    /// <summary>The 36-character lower-case form.</summary>
    public override string ToString() => string.Create(TextLength, this, static (span, id) => id.TryFormat(span, out _, default, null));

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <inheritdoc/>
    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        Span<byte> utf8 = stackalloc byte[TextLength];
        if (destination.Length < TextLength)
        {
            charsWritten = 0;
            return false;
        }

        WriteUtf8(utf8);
        Utf8.ToUtf16(utf8, destination, out _, out charsWritten);
        return true;
    }

    /// <inheritdoc/>
    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        bytesWritten = utf8Destination.Length < TextLength ? 0 : TextLength;
        if (bytesWritten == 0) return false;
        WriteUtf8(utf8Destination);
        return true;
    }

    /// <summary>Writes the 36-byte text form; the destination must hold <see cref="TextLength"/> bytes.</summary>
    public void WriteUtf8(Span<byte> destination)
    {
        Span<byte> hex = stackalloc byte[32];
        Span<byte> bytes = stackalloc byte[ByteLength];
        WriteBytes(bytes);
        Convert.TryToHexStringLower(bytes, hex, out _);
        hex[..8].CopyTo(destination);
        destination[8] = (byte)'-';
        hex[8..12].CopyTo(destination[9..]);
        destination[13] = (byte)'-';
        hex[12..16].CopyTo(destination[14..]);
        destination[18] = (byte)'-';
        hex[16..20].CopyTo(destination[19..]);
        destination[23] = (byte)'-';
        hex[20..].CopyTo(destination[24..]);
    }
}
