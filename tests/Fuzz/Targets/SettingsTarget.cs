using System.Text;
using Microsoft.Extensions.Configuration;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>The settings, one <c>key=value</c> a line: either all are read, or one exception for people lists the errors and shows no
/// secret.</summary>
internal static class SettingsTarget
{
    private const int ShortestSecret = 8;
    private static readonly string[] SecretKeys = ["Admin:Token", "ADMIN_TOKEN", "Storage:ConnectionString", "DATABASE_URL"];

    /// <summary>Runs one set of settings.</summary>
    public static void Run(byte[] text)
    {
        var pairs = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Encoding.UTF8.GetString(text).Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) pairs[line[..equals]] = line[(equals + 1)..];
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(pairs).Build();
        try
        {
            var settings = ServerSettings.Load(configuration, development: text.Length % 2 == 0);
            Finding.Unless(settings.Http.Addresses.Count > 0, "there is no address to listen on");
            CheckSizesAndDurations(pairs.Values);
        }
        catch (StartupException refused)
        {
            Finding.Unless(refused.Message.Length > 0 && refused.ExitCode == 2, $"exit code {refused.ExitCode}: {refused.Message}");
            foreach (var key in SecretKeys) CheckNotShown(pairs, key, refused.Message);
        }
    }

    /// <summary>What is written of a value that was read is read as the same value.</summary>
    private static void CheckSizesAndDurations(IEnumerable<string?> values)
    {
        foreach (var value in values)
        {
            if (value is null) continue;
            if (SettingText.TryReadSize(value, out var size))
                Finding.Unless(SettingText.TryReadSize(SettingText.FormatSize(size), out var again) && again == size,
                    $"size {value} is {size}, written as {SettingText.FormatSize(size)}");
            if (SettingText.TryReadDuration(value, out var duration))
                Finding.Unless(SettingText.TryReadDuration(SettingText.FormatDuration(duration), out var again) && again == duration,
                    $"duration {value} is {duration}, written as {SettingText.FormatDuration(duration)}");
        }
    }

    private static void CheckNotShown(Dictionary<string, string?> pairs, string key, string message)
    {
        if (!pairs.TryGetValue(key, out var secret) || secret?.Trim() is not { Length: >= ShortestSecret } trimmed) return;
        if (ServerSettings.Describe().Any(setting => $"{setting.Key} {setting.Alias} {setting.Allowed}".Contains(trimmed,
            StringComparison.Ordinal))) return;
        var isElsewhere = pairs.Any(pair => pair.Key.Contains(trimmed, StringComparison.OrdinalIgnoreCase)
            || (pair.Key != key && pair.Value?.Contains(trimmed, StringComparison.Ordinal) == true));
        Finding.Unless(isElsewhere || !message.Contains(trimmed, StringComparison.Ordinal), $"the value of {key} is shown: {message}");
    }
}
