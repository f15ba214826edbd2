using Microsoft.Extensions.Primitives;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// Reads all settings again when a settings file changes, and hands them to whoever can go on with new ones. Settings that are not allowed
/// change nothing, and neither does a file that has gone: it would read as the defaults.
/// </summary>
internal sealed partial class SettingsReload : IDisposable
{
    private readonly IConfigurationRoot _configuration;
    private readonly bool _development;
    private readonly Action<ServerSettings> _apply;
    private readonly ILogger<SettingsReload> _logger;
    private readonly List<FileConfigurationProvider> _files;
    private readonly IDisposable _registration;

    /// <summary>Begins to listen. <paramref name="apply"/> is called on any thread, at least once for each change.</summary>
    public SettingsReload(IConfigurationRoot configuration, bool development, Action<ServerSettings> apply, ILogger<SettingsReload> logger)
    {
        (_configuration, _development, _apply, _logger) = (configuration, development, apply, logger);
        _files = [.. configuration.Providers.OfType<FileConfigurationProvider>().Where(IsThere)];
        _registration = ChangeToken.OnChange(configuration.GetReloadToken, Read);
    }

    /// <summary>Listens no more.</summary>
    public void Dispose() => _registration.Dispose();

    private static bool IsThere(FileConfigurationProvider provider) =>
        provider.Source is { Path: { } path, FileProvider: { } folder } && folder.GetFileInfo(path).Exists;

    private void Read()
    {
        if (_files.Find(static file => !IsThere(file)) is { } gone)
        {
            Log.NotTaken(_logger, $"{gone.Source.Path} is not there any more");
            return;
        }

        try
        {
            _apply(ServerSettings.Load(_configuration, _development));
            Log.Taken(_logger);
        }
        catch (StartupException error)
        {
            Log.NotTaken(_logger, error.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.SettingsReloadTaken, LogLevel.Information, "The settings were read again")]
        public static partial void Taken(ILogger logger);

        [LoggerMessage(LogEvents.SettingsReloadNotTaken, LogLevel.Warning, "Changed settings were not taken: {Reason}")]
        public static partial void NotTaken(ILogger logger, string reason);
    }
}
