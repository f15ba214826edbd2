using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Server.Configuration;

/// <summary>The settings of the server around the events: where it listens, who may do what, where it keeps things.</summary>
internal static class ServerSections
{
    private static readonly SettingKind<int> TcpPort = SettingKind.Number(0, 65_535, "TCP port");

    private static readonly SettingKind<string?> Database = SettingKind.Text(
        "a URL such as postgres://user:password@host:5432/database, or an Npgsql connection string such as Host=…;Database=…",
        SettingRules.IsConnectionString) with
    { IsSecret = true };

    public static HttpOptions Http(SettingsReader read)
    {
        // The framework's container images set this; where it is given, the server is meant to be reached from outside the container.
        var containerPort = read.Get(
            "HTTP_PORTS", 0, TcpPort,
            "Listen on every address at this port, unless `HOST` or `PORT` say otherwise (`ASPNETCORE_HTTP_PORTS`).");
        var defaults = containerPort == 0 ? new HttpOptions() : new HttpOptions { Host = "*", Port = containerPort };
        return new HttpOptions
        {
            Host = read.Get(
                "Http:Host", defaults.Host, SettingKind.Text("a host name or address", SettingRules.IsHost),
                "Where to listen: `localhost` is this machine only, `0.0.0.0` every IPv4 address, `*` every address.", "HOST")!,
            Port = read.Get(
                "Http:Port", defaults.Port, TcpPort,
                "The port to listen on; 0 takes any free one.", "PORT"),
            Urls = read.Get(
                "Http:Urls", defaults.Urls, SettingKind.ListOf(
                    SettingKind.Text("a URL such as http://0.0.0.0:8080", SettingRules.IsListenUrl), 16)!,
                "All addresses to listen on (`--urls`, `ASPNETCORE_URLS`); host and port above are not used then.", "URLS")!,
            MaxConnections = read.Get(
                "Http:MaxConnections", defaults.MaxConnections, SettingKind.Number(1, 1_000_000, "connections"),
                "Client connections open at the same time; more wait to be accepted."),
            AdminUrls = read.Get(
                "Http:AdminUrls", defaults.AdminUrls, SettingKind.ListOf(
                    SettingKind.Text("a URL such as http://127.0.0.1:9091", SettingRules.IsListenUrl), 16)!,
                "More addresses, for the operator: `/metrics` and `/api/admin` then answer there and are 404 elsewhere.")!,
            KnownProxies = read.Get(
                "Http:KnownProxies", defaults.KnownProxies, SettingKind.ListOf(SettingKind.Network, 64),
                "Networks of the proxies in front: `X-Forwarded-For` and `X-Forwarded-Proto` are believed from them only. None: from nobody."),
            HstsMaxAge = read.Get(
                "Http:HstsMaxAge", defaults.HstsMaxAge, SettingKind.Duration(TimeSpan.Zero, TimeSpan.FromDays(730)),
                "How long browsers are told to use HTTPS only, on answers over HTTPS; 0 = not at all."),
        };
    }

    public static CorsOptions Cors(SettingsReader read, bool development) => new()
    {
        AllowedOrigins = read.Get(
            "Cors:AllowedOrigins", development ? ["*"] : [],
            SettingKind.ListOf(SettingKind.Text("an origin such as https://app.example.com, or *", SettingRules.IsOrigin), 64)!,
            "Origins whose pages may call the API; `*` is any (the default in Development).", reloaded: true)!,
    };

    public static AdminOptions Admin(SettingsReader read) => new()
    {
        Token = read.Get(
            "Admin:Token", null, SettingKind.Text(
                "8 to 256 printable characters without spaces", SettingRules.IsToken) with
            { IsSecret = true },
            "The admin token. If none is given, one is made at the first start and kept in the data directory (`admin-token`, mode 0600).",
            "ADMIN_TOKEN"),
        PreviousToken = read.Get(
            "Admin:PreviousToken", null,
            SettingKind.Text("8 to 256 printable characters without spaces", SettingRules.IsToken) with { IsSecret = true },
            "With an admin token that is set here: the one before, which is taken too while clients change over.",
            "ADMIN_TOKEN_PREVIOUS"),
    };

    public static KeyOptions Keys(SettingsReader read) => new()
    {
        MaxPerOrganization = read.Get(
            "Keys:MaxPerOrganization", new KeyOptions().MaxPerOrganization, SettingKind.Number(1, 10_000, "keys"),
            "The most API keys that an organization may have at a time."),
    };

    public static LogOptions Log(SettingsReader read)
    {
        var defaults = new LogOptions();
        return new LogOptions
        {
            Level = read.Get(
                "Log:Level", defaults.Level,
                SettingKind.OneOf(("info", LogLevel.Information), ("warn", LogLevel.Warning), ("fatal", LogLevel.Critical)),
                "The least severe level that is logged.", "LOG_LEVEL", reloaded: true),
            Format = read.Get(
                "Log:Format", defaults.Format, SettingKind.OneOf<LogFormat>(),
                "`auto` is text on a terminal and JSON, one object a line, elsewhere."),
        };
    }

    public static StorageOptions Storage(SettingsReader read)
    {
        var defaults = new StorageOptions();
        return new StorageOptions
        {
            DataDirectory = read.Get(
                "Storage:DataDirectory", defaults.DataDirectory, SettingKind.Text("a path", path => !path.Contains('\0')),
                "Where the journal, the admin token and the embedded database are kept.")!,
            ConnectionString = read.Get(
                "Storage:ConnectionString", defaults.ConnectionString,
                Database,
                "The PostgreSQL database (15 or newer). None: SQLite in the data directory.", "DATABASE_URL"),
            PartitionsAhead = read.Get(
                "Storage:PartitionsAhead", defaults.PartitionsAhead, SettingKind.Number(1, 366, "days"),
                "Daily partitions are made this many days ahead (PostgreSQL)."),
        };
    }

    public static RegistrationOptions Registration(SettingsReader read, bool development)
    {
        var defaults = new RegistrationOptions();
        return new RegistrationOptions
        {
            Open = read.Get(
                "Registration:Open", development, SettingKind.Switch,
                "Whether anyone may make an organization and its key; otherwise the admin token is needed. On by default in Development.",
                reloaded: true),
            PerAddressPerMinute = read.Get(
                "Registration:PerAddressPerMinute", defaults.PerAddressPerMinute, SettingKind.Number(1, 1_000_000, "organizations"),
                "While registration is open: new organizations from one address in any 60 s."),
        };
    }
}
