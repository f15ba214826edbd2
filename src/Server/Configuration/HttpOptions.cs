namespace ZapierTriggers.Server.Configuration;

/// <summary>Settings under <c>Http</c>.</summary>
internal sealed record HttpOptions
{
    /// <summary>
    /// Host name or address to listen on (also <c>HOST</c>); <c>localhost</c> = this machine only, <c>0.0.0.0</c> = every IPv4 address,
    /// <c>*</c> = every address.
    /// </summary>
    public string Host { get; init; } = "localhost";

    /// <summary>TCP port to listen on (also <c>PORT</c>); 0 = any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Addresses to listen on (also <c>--urls</c>, <c>ASPNETCORE_URLS</c>); where given, host and port are not used.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>Client connections open at the same time; more wait in the listen queue of the operating system.</summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>
    /// Addresses for the operator: where some are given, <c>/metrics</c> and <c>/api/admin</c> answer there and 404 elsewhere. The other
    /// routes answer there too.
    /// </summary>
    public IReadOnlyList<string> AdminUrls { get; init; } = [];

    /// <summary>
    /// Networks of the proxies in front: only what comes from them is believed about its client (<c>X-Forwarded-For</c>,
    /// <c>X-Forwarded-Proto</c>). Empty = nobody is.
    /// </summary>
    public IReadOnlyList<System.Net.IPNetwork> KnownProxies { get; init; } = [];

    /// <summary>How long browsers are told to come by HTTPS only (RFC 6797), on answers over HTTPS; zero = not at all.</summary>
    public TimeSpan HstsMaxAge { get; init; } = TimeSpan.Zero;

    /// <summary>The addresses to listen on, whichever way they were given.</summary>
    public IReadOnlyList<string> Addresses => Urls.Count > 0 ? Urls : [$"http://{HostPart}:{Port}"];

    // Kestrel binds "localhost" on two address families and cannot do that with a port it picks itself.
    private string HostPart =>
        Port == 0 && Host == "localhost" ? "127.0.0.1" : Host.Contains(':') && !Host.StartsWith('[') ? $"[{Host}]" : Host;
}

/// <summary>Settings under <c>Cors</c>.</summary>
internal sealed record CorsOptions
{
    /// <summary>
    /// Origins whose pages may call the API, such as <c>https://app.example.com</c>; <c>*</c> = any, which is the default in Development.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];
}

/// <summary>Settings under <c>Admin</c>.</summary>
internal sealed record AdminOptions
{
    /// <summary>The admin token (also <c>ADMIN_TOKEN</c>); null = made at the first start and kept in the data directory.</summary>
    public string? Token { get; init; }

    /// <summary>The token before, while clients change over (also <c>ADMIN_TOKEN_PREVIOUS</c>); null = none. Only with a token.</summary>
    public string? PreviousToken { get; init; }
}

/// <summary>Settings under <c>Log</c>.</summary>
internal sealed record LogOptions
{
    /// <summary>The least severe level that is written (also <c>LOG_LEVEL</c>). The framework's own categories stay at warning.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>How a line looks.</summary>
    public LogFormat Format { get; init; } = LogFormat.Auto;
}

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>Text on a terminal, else JSON.</summary>
    Auto = 0,

    /// <summary>One readable line per entry.</summary>
    Text = 1,

    /// <summary>One JSON object per line.</summary>
    Json = 2,
}
