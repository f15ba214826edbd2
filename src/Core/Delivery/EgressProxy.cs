using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// The HTTP proxy that all webhooks go through: CONNECT for https URLs, the absolute form for http ones (RFC 9110, 9.3.6; RFC 9112, 3.2.2).
/// It resolves the names. No text of it shows the password.
/// </summary>
internal sealed class EgressProxy : IWebProxy
{
    private EgressProxy(Uri address, NetworkCredential? credentials)
    {
        Address = address;
        Credentials = credentials;
    }

    /// <summary>Scheme, host and port; nothing else.</summary>
    public Uri Address { get; }

    /// <summary>What it may ask for (407, Basic); null = nothing.</summary>
    public ICredentials? Credentials { get; set; }

    /// <summary>
    /// Reads <c>http://host:port</c> or <c>https://host:port</c>, with <c>user:password@</c>, percent-encoded, before the host if it asks
    /// for them.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out EgressProxy? proxy)
    {
        proxy = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
            return false;
        if (url.Host.Length == 0 || url.Port == 0 || url.PathAndQuery != "/" || url.Fragment.Length > 0) return false;
        if (!TryReadCredentials(url.UserInfo, out var credentials)) return false;
        // Without its port a proxy is mostly meant to be at another one than the scheme's.
        if (url.IsDefaultPort && !text.TrimEnd('/').EndsWith($":{url.Port}", StringComparison.Ordinal)) return false;
        proxy = new EgressProxy(new UriBuilder(url.Scheme, url.IdnHost, url.Port).Uri, credentials);
        return true;
    }

    /// <inheritdoc/>
    public Uri GetProxy(Uri destination) => Address;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => false;

    /// <summary>Where it is, without user and password.</summary>
    public override string ToString() => $"{Address.Scheme}://{Address.Authority}";

    private static bool TryReadCredentials(string userInfo, out NetworkCredential? credentials)
    {
        credentials = null;
        if (userInfo.Length == 0) return true;
        var colon = userInfo.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) return false;
        var user = Uri.UnescapeDataString(userInfo[..colon]);
        // Basic credentials end the user's name at the first colon (RFC 7617, 2).
        if (user.Contains(':', StringComparison.Ordinal)) return false;
        credentials = new NetworkCredential(user, Uri.UnescapeDataString(userInfo[(colon + 1)..]));
        return true;
    }
}
