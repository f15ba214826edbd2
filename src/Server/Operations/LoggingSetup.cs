using Microsoft.Extensions.Logging.Console;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// How the server logs: one readable line on a terminal, one JSON object a line elsewhere, on standard output. Our own categories from the
/// set level on, the framework's from warning on. Nothing is logged per accepted event.
/// </summary>
internal static class LoggingSetup
{
    /// <summary>Replaces what the host has set up. <paramref name="terminal"/> tells whether standard output is one.</summary>
    public static void Configure(ILoggingBuilder logging, LogOptions options, bool terminal)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.Level);
        foreach (var category in (ReadOnlySpan<string>)["Microsoft", "System", "Npgsql", "OpenTelemetry"])
        {
            logging.AddFilter(category, options.Level > LogLevel.Warning ? options.Level : LogLevel.Warning);
        }

        // A start that fails is told by StartupFailure, and the host would tell it once more with its stack trace.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

        var text = options.Format == LogFormat.Text || (options.Format == LogFormat.Auto && terminal);
        if (text) logging.AddSimpleConsole(ConfigureText);
        else logging.AddJsonConsole(ConfigureJson);
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
