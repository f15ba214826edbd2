using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>The mark <c>run-content</c> of a payload: 8 characters of run, a hyphen, 16 hexadecimal digits of content.</summary>
internal sealed class Stamp
{
    /// <summary>Bytes of a stamp.</summary>
    public const int Length = RunLength + 1 + 16;

    private const int RunLength = 8;

    private readonly byte[] _run;

    /// <summary>Creates the stamps of a run.</summary>
    /// <exception cref="ArgumentException">The run's name is not 8 ASCII letters or digits.</exception>
    public Stamp(string run)
    {
        if (run.Length != RunLength || !run.All(char.IsAsciiLetterOrDigit))
            throw new ArgumentException($"'{run}' is not {RunLength} letters or digits.", nameof(run));
        _run = Encoding.ASCII.GetBytes(run);
    }

    /// <summary>Where a stamp starts in a payload: behind <c>{"load_id":"</c>.</summary>
    public static int PayloadOffset => Prefix.Length;

    /// <summary>Where a stamp ends in a payload.</summary>
    public static int PayloadEnd => Prefix.Length + Length;

    private static ReadOnlySpan<byte> Prefix => "{\"load_id\":\""u8;

    /// <summary>The stamp as text.</summary>
    public string Text(long content) => $"{Encoding.ASCII.GetString(_run)}-{content.ToString("x16", CultureInfo.InvariantCulture)}";

    /// <summary>The payload with the stamp of content 0 as its first member.</summary>
    public byte[] AddTo(ReadOnlySpan<byte> payload)
    {
        var members = payload[1..].TrimStart(" \t\r\n"u8);
        return [.. Prefix, .. Encoding.ASCII.GetBytes(Text(0)), (byte)'"', .. members[0] == (byte)'}' ? [] : ","u8, .. members];
    }

    /// <summary>Writes the stamp.</summary>
    public void Write(long content, Span<byte> destination)
    {
        _run.CopyTo(destination);
        destination[RunLength] = (byte)'-';
        for (var i = Length - 1; i > RunLength; i--, content >>= 4) destination[i] = "0123456789abcdef"u8[(int)(content & 15)];
    }

    /// <summary>Reads the content from a payload of this run; false for any other payload.</summary>
    public bool TryRead(ReadOnlySpan<byte> payload, out long content)
    {
        content = -1;
        if (payload.Length < PayloadEnd || !payload.StartsWith(Prefix)) return false;
        var stamp = payload.Slice(PayloadOffset, Length);
        return stamp.StartsWith(_run) && stamp[RunLength] == (byte)'-'
            && Utf8Parser.TryParse(stamp[(RunLength + 1)..], out content, out var digits, 'x') && digits == 16 && content >= 0;
    }
}
