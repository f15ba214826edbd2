using System.Buffers;

namespace ZapierTriggers.Core.Delivery;

/// <summary>A header that the endpoint's owner wants on each of its deliveries.</summary>
/// <param name="Name">A token (RFC 9110, 5.6.2); see <see cref="Check"/>.</param>
/// <param name="Value">Printable ASCII.</param>
internal sealed record EndpointHeader(string Name, string Value)
{
    /// <summary>The most headers of an endpoint.</summary>
    public const int MaxCount = 20;

    /// <summary>The most bytes of all names and values of an endpoint.</summary>
    public const int MaxBytes = 4 * 1024;

    /// <summary>What is shown instead of a value that grants access.</summary>
    public const string Mask = "********";

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // Of one hop (RFC 9110, 7.6.1), of the message's framing, or ours.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding",
        "Upgrade", "HTTP2-Settings", "Host", "Expect", "User-Agent",
    };

    private static readonly string[] ReservedPrefixes = ["Content-", "webhook-", "X-Event-"];

    private static readonly string[] SecretWords =
        ["auth", "token", "secret", "key", "password", "cookie", "signature", "credential", "session"];

    /// <summary>Whether the value may grant access, and so is not shown again.</summary>
    public bool IsSecret => SecretWords.Any(word => Name.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>The value, or the mask.</summary>
    public string Shown => IsSecret ? Mask : Value;

    /// <summary>In words why the header cannot be taken; null when it can.</summary>
    public static string? Check(string name, string value)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(TokenCharacters))
            return "a header's name consists of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, 5.6.2).";
        if (Reserved.TryGetValue(name, out var reserved))
            return $"{reserved} is set by this server or belongs to one connection; leave it out.";
        if (ReservedPrefixes.FirstOrDefault(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) is { } prefix)
            return $"headers that begin with {prefix} are set by this server; leave them out.";
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~') || value.StartsWith(' ') || value.EndsWith(' '))
            return "a header's value is printable ASCII that does not begin or end with a space.";
        return null;
    }
}
