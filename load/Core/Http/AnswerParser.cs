using System.Buffers.Text;
using System.Text;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Load.Core.Http;

/// <summary>What <see cref="AnswerParser.TryParse"/> found.</summary>
internal enum ParseResult
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The buffer starts with one whole answer.</summary>
    Complete,

    /// <summary>The bytes are not an HTTP/1.1 answer; the connection is of no further use.</summary>
    Invalid,
}

/// <summary>
/// Reads HTTP/1.1 answers (RFC 9112) from the start of a buffer. It keeps no state: an incomplete answer is parsed again when more
/// has arrived, so every split of the bytes gives the same result. Bodies by Content-Length, chunked, or up to the end of the
/// connection; interim (1xx) answers are passed over.
/// </summary>
internal static class AnswerParser
{
    private const int StatusLineLength = 12; // "HTTP/1.1 202"

    /// <summary>Parses the answer at the start of <paramref name="buffer"/>.</summary>
    /// <param name="buffer">All bytes received and not yet consumed. A complete chunked body is joined in place.</param>
    /// <param name="ended">Whether the server has closed its side: nothing follows the buffer.</param>
    /// <param name="answer">The answer, if complete.</param>
    /// <param name="body">Where the body stands in the buffer, if complete.</param>
    /// <param name="consumed">Bytes that the answer took, interim answers included.</param>
    public static ParseResult TryParse(Span<byte> buffer, bool ended, out Answer answer, out Range body, out int consumed)
    {
        (answer, body, consumed) = (default, default, 0);
        while (true)
        {
            var rest = buffer[consumed..];
            var headLength = rest.IndexOf("\r\n\r\n"u8) + 4;
            if (headLength == 3) return rest.Length >= 5 && !rest.StartsWith("HTTP/"u8) ? ParseResult.Invalid : ParseResult.Incomplete;
            if (!TryReadHead(rest[..headLength], out var head)) return ParseResult.Invalid;
            consumed += headLength;
            if (head.Status < 200) continue;

            var result = ReadBody(buffer[consumed..], head, ended, out var bodyLength, out var bodyBytes);
            if (result != ParseResult.Complete) return result;
            body = consumed..(consumed + bodyLength);
            consumed += bodyBytes;
            answer = new Answer(head.Status, FindId(buffer[body]), head.Close || (head.ContentLength < 0 && !head.Chunked));
            return ParseResult.Complete;
        }
    }

    /// <summary>The id that a JSON body names: the value of <c>event_id</c>, else of <c>id</c>; zero if none is a UUID.</summary>
    public static EventId FindId(ReadOnlySpan<byte> json)
    {
        var id = FindUuid(json, "\"event_id\""u8);
        return id.IsZero ? FindUuid(json, "\"id\""u8) : id;
    }

    private static bool TryReadHead(ReadOnlySpan<byte> head, out Head result)
    {
        result = new Head { ContentLength = -1 };
        if (head.Length < StatusLineLength || !head.StartsWith("HTTP/1."u8)) return false;
        if (!Utf8Parser.TryParse(head[9..StatusLineLength], out int status, out var digits) || digits != 3) return false;
        result.Status = status;

        var lines = head[(head.IndexOf("\r\n"u8) + 2)..];
        while (lines.Length > 2)
        {
            var end = lines.IndexOf("\r\n"u8);
            if (!TryReadHeader(lines[..end], ref result)) return false;
            lines = lines[(end + 2)..];
        }

        // Answers to these have no body, whatever their headers say (RFC 9112, 6.3).
        if (status is 204 or 304) (result.ContentLength, result.Chunked) = (0, false);
        return true;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> line, ref Head head)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0) return false;
        var value = line[(colon + 1)..].Trim(" \t"u8);
        switch (colon)
        {
            case 14 when Ascii.EqualsIgnoreCase(line[..colon], "Content-Length"u8):
                return Utf8Parser.TryParse(value, out head.ContentLength, out var digits)
                    && digits == value.Length && head.ContentLength >= 0;
            case 17 when Ascii.EqualsIgnoreCase(line[..colon], "Transfer-Encoding"u8):
                head.Chunked = Ascii.EqualsIgnoreCase(value, "chunked"u8);
                return head.Chunked;
            case 10 when Ascii.EqualsIgnoreCase(line[..colon], "Connection"u8):
                head.Close |= Ascii.EqualsIgnoreCase(value, "close"u8);
                return true;
            default:
                return true;
        }
    }

    private static ParseResult ReadBody(Span<byte> rest, in Head head, bool ended, out int bodyLength, out int bodyBytes)
    {
        if (head.Chunked) return Chunks.TryJoin(rest, out bodyLength, out bodyBytes);

        var length = head.ContentLength;
        bodyLength = bodyBytes = length < 0 ? rest.Length : (int)Math.Min(length, int.MaxValue);
        if (length < 0) return ended ? ParseResult.Complete : ParseResult.Incomplete;
        return rest.Length >= length ? ParseResult.Complete : ParseResult.Incomplete;
    }

    private static EventId FindUuid(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var at = json.IndexOf(name);
        if (at < 0) return default;
        var value = json[(at + name.Length)..].TrimStart(" \t\r\n:"u8);
        return value.Length > EventId.TextLength && value[0] == (byte)'"' && Guid.TryParse(value[1..(EventId.TextLength + 1)], out var id)
            ? EventId.FromGuid(id)
            : default;
    }

    private struct Head
    {
        public int Status;
        public long ContentLength;
        public bool Chunked;
        public bool Close;
    }
}
