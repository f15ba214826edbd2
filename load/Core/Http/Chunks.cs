using System.Buffers.Text;

namespace ZapierTriggers.Load.Core.Http;

/// <summary>The chunked transfer coding (RFC 9112, 7.1): <c>size[;extension] CRLF data CRLF … 0 CRLF [trailers] CRLF</c>.</summary>
internal static class Chunks
{
    /// <summary>Joins the data of a complete chunked body at the start of the buffer; an incomplete one is left as it is.</summary>
    /// <param name="coded">The bytes after the head.</param>
    /// <param name="dataLength">Bytes of joined data.</param>
    /// <param name="codedLength">Bytes that the coded body took.</param>
    public static ParseResult TryJoin(Span<byte> coded, out int dataLength, out int codedLength)
    {
        var result = Walk(coded, join: false, out dataLength, out codedLength);
        return result == ParseResult.Complete ? Walk(coded, join: true, out dataLength, out codedLength) : result;
    }

    private static ParseResult Walk(Span<byte> coded, bool join, out int dataLength, out int codedLength)
    {
        (dataLength, codedLength) = (0, 0);
        while (true)
        {
            var lineLength = coded[codedLength..].IndexOf("\r\n"u8);
            if (lineLength < 0) return ParseResult.Incomplete;
            var line = coded.Slice(codedLength, lineLength);
            if (!Utf8Parser.TryParse(line, out int size, out _, 'x') || size < 0) return ParseResult.Invalid;
            codedLength += lineLength + 2;
            if (size == 0) return SkipTrailers(coded, ref codedLength);

            if (coded.Length - codedLength < (long)size + 2) return ParseResult.Incomplete;
            if (!coded.Slice(codedLength + size, 2).SequenceEqual("\r\n"u8)) return ParseResult.Invalid;
            if (join) coded.Slice(codedLength, size).CopyTo(coded[dataLength..]);
            dataLength += size;
            codedLength += size + 2;
        }
    }

    private static ParseResult SkipTrailers(ReadOnlySpan<byte> coded, ref int codedLength)
    {
        while (true)
        {
            var lineLength = coded[codedLength..].IndexOf("\r\n"u8);
            if (lineLength < 0) return ParseResult.Incomplete;
            codedLength += lineLength + 2;
            if (lineLength == 0) return ParseResult.Complete;
        }
    }
}
