using System.Globalization;
using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Reads <c>DATABASE_URL</c> in either form: a URI as libpq takes it (<c>postgres://user:password@host:port/database?sslmode=require</c>;
/// PostgreSQL manual, 34.1.1.2) or an Npgsql connection string. Errors name the part that is wrong, never its value: it may hold the
/// password.
/// </summary>
internal static class PostgresConnectionString
{
    /// <summary>Statements run often enough to be prepared by the driver; ours are about 30.</summary>
    private const int PreparedStatements = 64;

    private const int DefaultPort = 5432;

    private const string Remedy = "Set Storage:ConnectionString (or DATABASE_URL) to postgres://user:password@host:5432/database";

    /// <summary>The driver's settings for that text. Throws <see cref="StoreException"/> (fault) when it cannot be read.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        text = text.Trim();
        var builder = IsUrl(text) ? FromUrl(text) : FromKeywords(text);
        if (string.IsNullOrEmpty(builder.Host)) throw Invalid("names no host");
        if (!IsGiven(text, "MaxAutoPrepare")) builder.MaxAutoPrepare = PreparedStatements;
        if (!IsGiven(text, "CommandTimeout") || builder.CommandTimeout == 0) builder.CommandTimeout = PostgresSession.CommandTimeout;
        if (!IsGiven(text, "Timeout") && !IsGiven(text, "connect_timeout")) builder.Timeout = PostgresSession.ConnectTimeout;

        // We leave nothing behind in a session, and what PostgresSession sets must stay.
        builder.NoResetOnClose = true;
        builder.ApplicationName ??= "zapier-triggers";
        return builder;
    }

    /// <summary>Whether the text sets this keyword, in either form and with any spaces in it.</summary>
    private static bool IsGiven(string text, string keyword) =>
        text.Split(';', '?', '&')
            .Select(part => Uri.UnescapeDataString(part.Split('=')[0].Replace('+', ' ')).Replace(" ", "", StringComparison.Ordinal))
            .Contains(keyword, StringComparer.OrdinalIgnoreCase);

    private static bool IsUrl(string text) =>
        text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    private static NpgsqlConnectionStringBuilder FromKeywords(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            // The driver's message may repeat a value, so only the kind of trouble is told.
            throw Invalid("is neither a postgres:// URL nor a list of Keyword=Value pairs that the driver knows");
        }
    }

    private static NpgsqlConnectionStringBuilder FromUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            throw Invalid("is no valid URL; percent-encode special characters in user and password (@ is %40, / is %2F, # is %23)");

        var builder = new NpgsqlConnectionStringBuilder { Host = HostOf(url).Trim('[', ']'), Port = url.Port > 0 ? url.Port : DefaultPort };
        var database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/'));
        if (database.Length > 0) builder.Database = database;

        var separator = url.UserInfo.IndexOf(':', StringComparison.Ordinal);
        var user = separator < 0 ? url.UserInfo : url.UserInfo[..separator];
        if (user.Length > 0) builder.Username = Uri.UnescapeDataString(user);
        if (separator >= 0) builder.Password = Uri.UnescapeDataString(url.UserInfo[(separator + 1)..]);

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)) Apply(builder, pair);
        return builder;
    }

    /// <summary>In ASCII. Only then a name turns out to be one that IDNA forbids.</summary>
    private static string HostOf(Uri url)
    {
        try
        {
            return url.IdnHost;
        }
        catch (UriFormatException)
        {
            throw Invalid("names a host that cannot exist");
        }
    }

    /// <summary>One <c>key=value</c> of the query: libpq's names where they differ from the driver's, else the driver's own.</summary>
    private static void Apply(NpgsqlConnectionStringBuilder builder, string pair)
    {
        var separator = pair.IndexOf('=', StringComparison.Ordinal);
        var key = Uri.UnescapeDataString(separator < 0 ? pair : pair[..separator]);
        var value = separator < 0 ? "" : Uri.UnescapeDataString(pair[(separator + 1)..].Replace('+', ' '));
        try
        {
            switch (key.ToLowerInvariant())
            {
                case "sslmode": builder.SslMode = SslModeOf(value); break;
                case "sslrootcert": builder.RootCertificate = value; break;
                case "sslcert": builder.SslCertificate = value; break;
                case "sslkey": builder.SslKey = value; break;
                case "connect_timeout": builder.Timeout = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "application_name": builder.ApplicationName = value; break;
                case "search_path" or "schema" or "currentschema": builder.SearchPath = value; break;
                case "host": builder.Host = value; break;
                default: builder[key] = value; break;
            }
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            throw Invalid($"has a parameter '{key}' that is unknown or has a bad value");
        }
    }

    private static SslMode SslModeOf(string value) => value.ToLowerInvariant() switch
    {
        "disable" => SslMode.Disable,
        "allow" => SslMode.Allow,
        "prefer" => SslMode.Prefer,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCA,
        "verify-full" => SslMode.VerifyFull,
        _ => throw new FormatException(),
    };

    private static StoreException Invalid(string trouble) =>
        new(StoreFailure.Fault, $"The database's connection string {trouble}. {Remedy}.");
}
