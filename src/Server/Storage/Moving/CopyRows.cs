using System.Buffers;
using System.Buffers.Binary;

namespace ZapierTriggers.Server.Storage.Moving;

/// <summary>
/// Rows in COPY's binary format, as <see cref="Postgres.EventCopyEncoder"/> draws it, of any table: a column count (i16), then for each
/// column its length (i32, -1 = NULL) and its bytes. No I/O.
/// </summary>
internal sealed class CopyRows
{
    /// <summary>Milliseconds from 1970 to 2000, where Postgres counts microseconds from.</summary>
    private const long PostgresEpoch = 946_684_800_000;

    private readonly ArrayBufferWriter<byte> _bytes = new(1 << 20);
    private int _rowStart;

    /// <summary>What was written since <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.WrittenMemory;

    /// <summary>The row that was begun last.</summary>
    public ReadOnlySpan<byte> Row => _bytes.WrittenSpan[_rowStart..];

    /// <summary>Forgets all.</summary>
    public void Clear() => _bytes.ResetWrittenCount();

    /// <summary>Begins a row.</summary>
    public void BeginRow(int columns)
    {
        _rowStart = _bytes.WrittenCount;
        BinaryPrimitives.WriteInt16BigEndian(_bytes.GetSpan(sizeof(short)), checked((short)columns));
        _bytes.Advance(sizeof(short));
    }

    /// <summary>NULL.</summary>
    public void WriteNull() => WriteLength(-1);

    /// <summary>Bytes as they are.</summary>
    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteLength(value.Length);
        _bytes.Write(value);
    }

    /// <summary>Text; U+0000, which Postgres cannot hold, becomes U+FFFD, as the store writes it.</summary>
    public void WriteText(ReadOnlySpan<byte> utf8)
    {
        var zeros = utf8.Count((byte)0);
        WriteLength(utf8.Length + 2 * zeros);
        while (zeros-- > 0)
        {
            var at = utf8.IndexOf((byte)0);
            _bytes.Write(utf8[..at]);
            _bytes.Write("\uFFFD"u8);
            utf8 = utf8[(at + 1)..];
        }

        _bytes.Write(utf8);
    }

    /// <summary>A number, a boolean or a time, as SQLite holds it.</summary>
    public void WriteNumber(ColumnKind kind, long value)
    {
        switch (kind)
        {
            case ColumnKind.Small:
                Span<byte> small = stackalloc byte[sizeof(short)];
                BinaryPrimitives.WriteInt16BigEndian(small, checked((short)value));
                WriteBytes(small);
                break;
            case ColumnKind.Integer:
                Span<byte> integer = stackalloc byte[sizeof(int)];
                BinaryPrimitives.WriteInt32BigEndian(integer, checked((int)value));
                WriteBytes(integer);
                break;
            case ColumnKind.Boolean:
                WriteBytes([value == 0 ? (byte)0 : (byte)1]);
                break;
            default:
                Span<byte> big = stackalloc byte[sizeof(long)];
                BinaryPrimitives.WriteInt64BigEndian(big, kind == ColumnKind.Time ? checked((value - PostgresEpoch) * 1000) : value);
                WriteBytes(big);
                break;
        }
    }

    private void WriteLength(int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(sizeof(int)), length);
        _bytes.Advance(sizeof(int));
    }
}
