using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// Finds keys that no setting has: a misspelt setting must not be silently without effect. Within our sections every key counts, wherever
/// it comes from; outside them only what was meant for this server, which is files and the command line, not the environment.
/// </summary>
internal static class UnknownSettings
{
    /// <summary>What the framework itself reads.</summary>
    private static readonly string[] FrameworkKeys =
    [
        "AllowedHosts", "Kestrel", "Logging", "urls", "http_ports", "https_ports", "environment", "contentRoot", "webroot",
        "applicationName",
        "detailedErrors", "captureStartupErrors", "shutdownTimeoutSeconds", "preferHostingUrls", "suppressStatusMessages",
        "hostBuilder:reloadConfigOnChange",
    ];

    /// <summary>One error for each unknown key, in the order of the keys.</summary>
    public static IEnumerable<string> Find(IConfigurationRoot configuration, IReadOnlyList<Setting> settings)
    {
        var known = settings.Select(setting => setting.Key).Concat(settings.Select(setting => setting.Alias).OfType<string>())
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var sections = known.Where(key => key.Contains(':')).Select(FirstSegment).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return configuration.Providers.SelectMany(provider => Unknown(provider, known, sections))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.OrdinalIgnoreCase)
            .Select(key => $"{key} is not a setting; {Suggest(key, known)}");
    }

    private static IEnumerable<string> Unknown(IConfigurationProvider provider, HashSet<string> known, HashSet<string> sections)
    {
        var ownSectionsOnly = provider is EnvironmentVariablesConfigurationProvider or ChainedConfigurationProvider;
        foreach (var key in Leaves(provider, null))
        {
            if (known.Contains(key) || known.Contains(WithoutIndex(key))) continue;
            var first = FirstSegment(key);
            var ours = sections.Contains(first) && key.Length > first.Length;
            if (ours || (!ownSectionsOnly && !IsFramework(key, first))) yield return key;
        }
    }

    private static IEnumerable<string> Leaves(IConfigurationProvider provider, string? parent)
    {
        foreach (var child in provider.GetChildKeys([], parent).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var path = parent is null ? child : $"{parent}:{child}";
            if (provider.TryGet(path, out var value) && value is not null) yield return path;
            foreach (var leaf in Leaves(provider, path)) yield return leaf;
        }
    }

    private static string Suggest(string key, IEnumerable<string> known)
    {
        var (closest, distance) = known.Select(candidate => (candidate, Spelling.Distance(key, candidate))).MinBy(pair => pair.Item2);
        return distance <= Math.Max(2, key.Length / 3) ? $"did you mean {closest}?" : "docs/settings.md lists them all.";
    }

    private static bool IsFramework(string key, string first) =>
        first.StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase)
        || FrameworkKeys.Contains(first, StringComparer.OrdinalIgnoreCase) || FrameworkKeys.Contains(key, StringComparer.OrdinalIgnoreCase);

    private static string FirstSegment(string key) => key.IndexOf(':') is var colon and > 0 ? key[..colon] : key;

    private static string WithoutIndex(string key)
    {
        var colon = key.LastIndexOf(':');
        return colon > 0 && int.TryParse(key.AsSpan(colon + 1), out _) ? key[..colon] : key;
    }
}
