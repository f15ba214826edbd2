namespace ZapierTriggers.Load.Core.Http;

/// <summary>What a connection has received of the answer under way. Grows with the largest answer seen, then allocates no more.</summary>
internal sealed class ReceiveBuffer
{
    private const int InitialLength = 4096; // An answer to an event is about 500 bytes.

    private byte[] _bytes = new byte[InitialLength];
    private int _filled;
    private Range _body;

    /// <summary>Where the next bytes go; never empty.</summary>
    public Span<byte> Free
    {
        get
        {
            if (_filled == _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
            return _bytes.AsSpan(_filled);
        }
    }

    /// <summary>The body of the last complete answer; valid until the next <see cref="Add"/> or <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Body => _bytes.AsSpan(_body);

    /// <summary>Takes <paramref name="count"/> bytes that were put into <see cref="Free"/> and parses what is there.</summary>
    public ParseResult Add(int count, bool ended, out Answer answer)
    {
        _filled += count;
        var result = AnswerParser.TryParse(_bytes.AsSpan(0, _filled), ended, out answer, out _body, out var consumed);
        if (result != ParseResult.Complete) return result;

        // One request is under way at a time, so bytes behind its answer belong to none: such a server is not to be trusted further.
        if (consumed != _filled) answer = answer with { Close = true };
        _filled = 0;
        return result;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => (_filled, _body) = (0, default);
}
