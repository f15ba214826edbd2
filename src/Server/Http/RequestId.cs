namespace ZapierTriggers.Server.Http;

/// <summary>
/// The id under which a request can be found again: the caller's where it is sane, else ours. Sent back with every answer.
/// </summary>
internal static class RequestId
{
    /// <summary>The header of request and answer.</summary>
    public const string HeaderName = "X-Request-Id";

    // 13 base32 characters hold the 64 bits of a number: short enough to cost one small string.
    private const int OwnLength = 13;
    private const int MaxLength = 128;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    // A start by chance keeps two processes apart; an odd factor maps different counts to different numbers (it is invertible modulo 2^64).
    private const ulong Spread = 0x9E37_79B9_7F4A_7C15;
    private static ulong _count = (ulong)Random.Shared.NextInt64();

    /// <summary>Settles the request's id, and puts it on the answer and into <see cref="HttpContext.TraceIdentifier"/>.</summary>
    public static string Assign(HttpContext context)
    {
        var headers = context.Request.Headers;
        var id = headers.TryGetValue(HeaderName, out var given) && given.Count == 1 && IsSane(given[0]) ? given[0]! : Next();
        context.TraceIdentifier = id;
        context.Response.Headers[HeaderName] = id;
        return id;
    }

    /// <summary>Whether a caller's id may be sent back and logged: 1 to 128 printable ASCII characters.</summary>
    public static bool IsSane(string? id) => id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExceptInRange('!', '~');

    private static string Next() => string.Create(OwnLength, Interlocked.Increment(ref _count) * Spread, static (span, number) =>
    {
        for (var i = span.Length - 1; i >= 0; i--, number >>= 5) span[i] = Alphabet[(int)(number & 31)];
    });
}
