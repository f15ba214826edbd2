namespace ZapierTriggers.Server.Configuration;

/// <summary>Which texts the settings without a kind of their own take.</summary>
internal static class SettingRules
{
    public static bool IsHost(string text) => text is "*" or "+" || Uri.CheckHostName(text.Trim('[', ']')) != UriHostNameType.Unknown;

    public static bool IsListenUrl(string text) =>
        Uri.TryCreate(
            text.Replace("://*", "://0.0.0.0", StringComparison.Ordinal).Replace("://+", "://0.0.0.0", StringComparison.Ordinal),
            UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    public static bool IsOrigin(string text) =>
        text == "*" || (Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.PathAndQuery == "/" && !text.EndsWith('/'));

    public static bool IsToken(string text) => text.Length is >= 8 and <= 256 && text.All(c => c is > ' ' and <= '~');

    public static bool IsConnectionString(string text) =>
        text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal)
            ? Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Host.Length > 0
            : text.Contains('=') && !text.Contains("://", StringComparison.Ordinal);
}
