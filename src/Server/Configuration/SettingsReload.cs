using System.Collections.Concurrent;
using Microsoft.Extensions.Primitives;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// Reads all settings again when a settings file changes, and hands them to whoever can go on with new ones. Settings that are not allowed
/// change nothing, and neither does any change while a file that was read once has gone or cannot be read: to the framework it holds
/// nothing then, so all of its settings would read as the defaults.
/// </summary>
internal sealed partial class SettingsReload : IDisposable
{
    private readonly IConfigurationRoot _configuration;
    private readonly bool _development;
    private readonly Action<ServerSettings> _apply;
    private readonly ILogger<SettingsReload> _logger;
    private readonly List<FileConfigurationProvider> _files;
    private readonly IDisposable _registration;
    private readonly Lock _reading = new();
    private readonly HashSet<FileConfigurationProvider> _wereThere;
    private readonly ConcurrentDictionary<FileConfigurationProvider, string> _broken = new();
    private bool _isReading;
    private volatile bool _hasEnded;

    /// <summary>Begins to listen. <paramref name="apply"/> is called on any thread, at least once for each change.</summary>
    public SettingsReload(IConfigurationRoot configuration, bool development, Action<ServerSettings> apply, ILogger<SettingsReload> logger)
    {
        (_configuration, _development, _apply, _logger) = (configuration, development, apply, logger);
        _files = [.. configuration.Providers.OfType<FileConfigurationProvider>()];
        _wereThere = [.. _files.Where(IsThere)];
        foreach (var file in _files) file.Source.OnLoadException += NotRead;
        _registration = ChangeToken.OnChange(configuration.GetReloadToken, Read);
    }

    /// <summary>Listens no more.</summary>
    public void Dispose()
    {
        _hasEnded = true;
        foreach (var file in _files) file.Source.OnLoadException -= NotRead;
        _registration.Dispose();
    }

    private static bool IsThere(FileConfigurationProvider provider) =>
        provider.Source is { Path: { } path, FileProvider: { } folder } && folder.GetFileInfo(path).Exists;

    /// <summary>The framework has emptied what it had of the file, and tells nobody else.</summary>
    private void NotRead(FileLoadExceptionContext context)
    {
        var reason = (context.Exception.InnerException ?? context.Exception).Message;
        _broken[context.Provider] = $"{context.Provider.Source.Path} cannot be read: {reason}";
        if (!_isReading) Log.NotTaken(_logger, _broken[context.Provider]);
    }

    private void Read()
    {
        lock (_reading)
        {
            if (_isReading || _hasEnded) return; // a file that is read again below says so too
            _isReading = true;
            try
            {
                var reason = Trouble();
                var settings = reason is null ? ServerSettings.Load(_configuration, _development) : null;
                reason ??= _broken.Values.FirstOrDefault(); // meanwhile
                if (reason is null)
                {
                    _apply(settings!);
                    _wereThere.UnionWith(_files.Where(IsThere));
                    Log.Taken(_logger);
                }
                else
                {
                    Log.NotTaken(_logger, reason);
                }
            }
            catch (Exception error)
            {
                // On a thread of the framework's, which has nobody to tell.
                Log.NotTaken(_logger, error.Message);
            }
            finally
            {
                _isReading = false;
            }
        }
    }

    /// <summary>Why what the framework has now is not what the files say; null when it is.</summary>
    private string? Trouble()
    {
        if (_wereThere.FirstOrDefault(static file => !IsThere(file)) is { } gone) return $"{gone.Source.Path} is not there any more";
        foreach (var file in _broken.Keys)
        {
            // It may have been mended: nothing tells of that but the next change of any file.
            _broken.TryRemove(file, out var reason);
            try
            {
                file.Load();
            }
            catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                _broken.TryAdd(file, reason ?? error.Message);
            }
        }

        return _broken.Values.FirstOrDefault();
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.SettingsReloadTaken, LogLevel.Information, "The settings were read again")]
        public static partial void Taken(ILogger logger);

        [LoggerMessage(LogEvents.SettingsReloadNotTaken, LogLevel.Warning, "Changed settings were not taken: {Reason}")]
        public static partial void NotTaken(ILogger logger, string reason);
    }
}
