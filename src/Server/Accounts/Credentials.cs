using Microsoft.Extensions.Primitives;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// What a request presents: <c>X-API-Key: key</c>, or <c>Authorization: Bearer key</c>. The first wins when both are there.
/// </summary>
internal static class Credentials
{
    private const string Scheme = "Bearer ";

    /// <summary>The text presented, without a copy; empty when there is none. Repeated headers are joined, which no key is.</summary>
    public static ReadOnlySpan<char> Of(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.TryGetValue("X-API-Key", out var key) && !StringValues.IsNullOrEmpty(key)) return key.ToString();

        var authorization = headers.Authorization.ToString().AsSpan();
        return authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim(' ') : [];
    }
}
