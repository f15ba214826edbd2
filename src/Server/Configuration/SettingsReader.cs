namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// Reads settings one by one and keeps two lists on the way: every setting there is, for the documentation and for telling unknown keys
/// apart, and every error, so that all of them can be shown at once. Nothing here reflects over types. Providers are asked from the last to
/// the first, as the framework does, with a setting's alias standing beside its key; an empty text counts as not given.
/// </summary>
internal sealed class SettingsReader(IConfigurationRoot configuration)
{
    private readonly List<Setting> _settings = [];
    private readonly List<string> _errors = [];
    private readonly List<EffectiveSetting> _effective = [];

    /// <summary>Every setting asked for so far.</summary>
    public IReadOnlyList<Setting> Settings => _settings;

    /// <summary>What each setting asked for so far is, and where that was given.</summary>
    public IReadOnlyList<EffectiveSetting> Effective => _effective;

    /// <summary>Every error so far: key, value and what is allowed instead.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Reads one setting. A value that is not allowed is noted as an error and the default returned in its place.</summary>
    /// <param name="key"><c>Section:Name</c>.</param>
    /// <param name="defaultValue">The value when nothing is given.</param>
    /// <param name="kind">Which values are allowed.</param>
    /// <param name="description">One line for the documentation.</param>
    /// <param name="alias">Another name, usually of an environment variable.</param>
    /// <param name="reloaded">Whether a change counts without a restart.</param>
    public T Get<T>(string key, T defaultValue, SettingKind<T> kind, string description, string? alias = null, bool reloaded = false)
    {
        _settings.Add(new Setting(key, alias, kind.Format(defaultValue), kind.Allowed, description) { IsReloaded = reloaded });
        if (Find(key, alias) is not var (name, text, provider))
        {
            _effective.Add(new EffectiveSetting(key, kind.Format(defaultValue), "default"));
            return defaultValue;
        }

        if (kind.Parse(text, out var value))
        {
            var shown = kind.IsSecret ? "******** (not shown)" : kind.Format(value);
            _effective.Add(new EffectiveSetting(key, shown, SettingSource.Of(provider, name, key)));
            return value;
        }

        _errors.Add(kind.IsSecret ? $"{name}: its value (not shown) is not allowed; use {kind.Allowed}." : $"{name} = \"{text}\" is not allowed; use {kind.Allowed}.");
        return defaultValue;
    }

    /// <summary>Notes an error that concerns several settings together unless <paramref name="condition"/> holds.</summary>
    public void Require(bool condition, string error)
    {
        if (!condition) _errors.Add(error);
    }

    /// <summary>Notes each key that no setting has; call it after the last <see cref="Get"/>.</summary>
    public void RefuseUnknown() => _errors.AddRange(UnknownSettings.Find(configuration, _settings));

    private (string Name, string Text, IConfigurationProvider Provider)? Find(string key, string? alias)
    {
        foreach (var provider in configuration.Providers.Reverse())
        {
            if (TextOf(provider, key) is { } text) return (key, text, provider);
            if (alias is not null && TextOf(provider, alias) is { } known) return (alias, known, provider);
        }

        return null;
    }

    private static string? TextOf(IConfigurationProvider provider, string name)
    {
        if (provider.TryGet(name, out var text) && !string.IsNullOrWhiteSpace(text)) return text.Trim();

        // A list given one by one (a JSON array, Key__0, Key__1) is one whole: it is never merged with another provider's.
        var items = provider.GetChildKeys([], name).Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(child => int.TryParse(child, out _))
            .Select(child => provider.TryGet($"{name}:{child}", out var item) ? item : null)
            .Where(item => !string.IsNullOrWhiteSpace(item));
        var joined = string.Join(',', items);
        return joined.Length == 0 ? null : joined;
    }
}
