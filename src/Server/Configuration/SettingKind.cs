using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Configuration;

/// <summary>Reads a setting's text; false when it is not one of the allowed values.</summary>
internal delegate bool ParseSetting<T>(string text, [MaybeNullWhen(false)] out T value);

/// <summary>What values a setting takes: how they are read, how they are written, and both in words.</summary>
/// <param name="Allowed">What is allowed, in words that end a sentence: "a whole number from 1 to 10".</param>
/// <param name="Parse">Reads a value, its range included.</param>
/// <param name="Format">Writes a value the way it is read; an empty text stands for "none".</param>
internal sealed record SettingKind<T>(string Allowed, ParseSetting<T> Parse, Func<T, string> Format)
{
    /// <summary>Whether the value must not be shown anywhere.</summary>
    public bool IsSecret { get; init; }
}

/// <summary>The kinds of settings there are.</summary>
internal static class SettingKind
{
    /// <summary>On or off.</summary>
    public static readonly SettingKind<bool> Switch = new("true or false", SettingText.TryReadSwitch, value => value ? "true" : "false");

    /// <summary>A network in CIDR notation.</summary>
    public static readonly SettingKind<IPNetwork> Network = new(
        "a network such as 10.1.0.0/16 or fd00::/8",
        (string text, out IPNetwork value) => IPNetwork.TryParse(text, out value),
        value => value.ToString());

    /// <summary>An HTTP proxy; never shown, since it may hold a password.</summary>
    public static readonly SettingKind<EgressProxy?> Proxy = new(
        "a proxy such as http://proxy.example.com:3128 (http or https, its port, no path), with user:password@ before the host, percent-encoded, if it asks for them",
        (string text, out EgressProxy? value) => EgressProxy.TryParse(text, out value),
        value => value?.ToString() ?? "")
    {
        IsSecret = true,
    };

    /// <summary>A whole number within bounds, both included.</summary>
    public static SettingKind<int> Number(int min, int max, string unit) => new(
        string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max} ({unit})"),
        (string text, out int value) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max,
        value => value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Bytes within bounds, both included; written plain or with KiB, MiB, GiB.</summary>
    public static SettingKind<long> Size(long min, long max) => new(
        $"a size from {SettingText.FormatSize(min)} to {SettingText.FormatSize(max)}, such as 64MiB, 4GiB or plain bytes",
        (string text, out long value) => SettingText.TryReadSize(text, out value) && value >= min && value <= max,
        SettingText.FormatSize);

    /// <summary>A span of time within bounds, both included; written with a unit or as hh:mm:ss.</summary>
    public static SettingKind<TimeSpan> Duration(TimeSpan min, TimeSpan max) => new(
        $"a duration from {SettingText.FormatDuration(min)} to {SettingText.FormatDuration(max)}, such as 50ms, 10s, 10min, 24h or 00:00:10",
        (string text, out TimeSpan value) => SettingText.TryReadDuration(text, out value) && value >= min && value <= max,
        SettingText.FormatDuration);

    /// <summary>One of the members of an enum, by name in either case of letters.</summary>
    public static SettingKind<T> OneOf<T>(params ReadOnlySpan<(string Alias, T Value)> aliases)
        where T : struct, Enum
    {
        var byName = new Dictionary<string, T>(StringComparer.OrdinalIgnoreCase);
        foreach (var value in Enum.GetValues<T>()) byName.Add(value.ToString(), value);
        var allowed = string.Join(", ", byName.Keys.Select(name => name.ToLowerInvariant()));
        foreach (var (alias, value) in aliases) byName.Add(alias, value);
        return new SettingKind<T>($"one of {allowed}", byName.TryGetValue, value => value.ToString().ToLowerInvariant());
    }

    /// <summary>A text that a condition accepts; null and the empty text stand for "none".</summary>
    public static SettingKind<string?> Text(string allowed, Func<string, bool> accepts) => new(
        allowed,
        (string text, out string? value) =>
        {
            value = text;
            return accepts(text);
        },
        value => value ?? "");

    /// <summary>
    /// Up to <paramref name="max"/> values of one kind, separated by commas or given one by one (<c>Key__0</c>, a JSON array).
    /// </summary>
    public static SettingKind<IReadOnlyList<T>> ListOf<T>(SettingKind<T> item, int max) => new(
        $"at most {max.ToString(CultureInfo.InvariantCulture)} values separated by commas, each {item.Allowed}",
        (string text, [MaybeNullWhen(false)] out IReadOnlyList<T> value) => TryReadList(text, item, max, out value),
        values => string.Join(", ", values.Select(item.Format)));

    private static bool TryReadList<T>(string text, SettingKind<T> item, int max, [MaybeNullWhen(false)] out IReadOnlyList<T> list)
    {
        var values = new List<T>();
        list = values;
        foreach (var part in text.Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (values.Count == max || !item.Parse(part, out var value)) return false;
            values.Add(value);
        }

        return true;
    }
}
