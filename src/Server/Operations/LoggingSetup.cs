using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// How the server logs: one readable line on a terminal, one JSON object a line elsewhere, on standard output. Our own categories from the
/// set level on, the framework's from warning on. Nothing is logged per accepted event.
/// </summary>
internal static class LoggingSetup
{
    /// <summary>
    /// Replaces what the host has set up. <paramref name="terminal"/> tells whether standard output is one. The level follows <paramref
    /// name="configuration"/> when it changes; one that is not allowed then leaves it as it is.
    /// </summary>
    public static void Configure(ILoggingBuilder logging, LogOptions options, IConfigurationRoot configuration, bool terminal)
    {
        logging.ClearProviders();
        var level = options.Level;
        logging.Services.AddSingleton<IConfigureOptions<LoggerFilterOptions>>(new ConfigureOptions<LoggerFilterOptions>(filter =>
        {
            var read = new SettingsReader(configuration);
            var now = ServerSections.Log(read);
            if (read.Errors.Count == 0) level = now.Level;
            SetLevel(filter, level);
        }));
        logging.Services.AddSingleton<IOptionsChangeTokenSource<LoggerFilterOptions>>(
            new ConfigurationChangeTokenSource<LoggerFilterOptions>(configuration));

        var text = options.Format == LogFormat.Text || (options.Format == LogFormat.Auto && terminal);
        if (text) logging.AddSimpleConsole(ConfigureText);
        else logging.AddJsonConsole(ConfigureJson);
    }

    private static void SetLevel(LoggerFilterOptions filter, LogLevel level)
    {
        filter.MinLevel = level;
        foreach (var category in (ReadOnlySpan<string>)["Microsoft", "System", "Npgsql", "OpenTelemetry"])
            filter.AddFilter(category, level > LogLevel.Warning ? level : LogLevel.Warning);

        // A start that fails is told by StartupFailure, and the host would tell it once more with its stack trace.
        filter.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

        // Of a request it tells nothing from warning on; but while it may log at all, ASP.NET makes an Activity and a log scope for each
        // request, which nobody reads here: 808 bytes, most of what a request allocates (bench/allocations.tsv).
        filter.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    private static void ConfigureText(SimpleConsoleFormatterOptions options)
    {
        options.SingleLine = true;
        options.TimestampFormat = "HH:mm:ss.fff ";
    }

    private static void ConfigureJson(JsonConsoleFormatterOptions options)
    {
        options.UseUtcTimestamp = true;
        options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    }
}
