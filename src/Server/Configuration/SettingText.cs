using System.Globalization;

namespace ZapierTriggers.Server.Configuration;

/// <summary>Reads and writes the texts of settings: switches, sizes, durations. Culture plays no part.</summary>
internal static class SettingText
{
    private static readonly (string Unit, long Factor)[] SizeUnits =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
    ];

    // "ms" and "min" before "m" and "s": the first unit that the text ends with is taken.
    private static readonly (string Unit, long Ticks)[] DurationUnits =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("min", TimeSpan.TicksPerMinute), ("d", TimeSpan.TicksPerDay),
        ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond),
    ];

    /// <summary>
    /// Reads <c>true</c>, <c>false</c>, <c>1</c>, <c>0</c>, <c>yes</c>, <c>no</c>, <c>on</c>, <c>off</c> in either case of letters.
    /// </summary>
    public static bool TryReadSwitch(string text, out bool value)
    {
        value = text.ToLowerInvariant() is "true" or "1" or "yes" or "on";
        return value || text.ToLowerInvariant() is "false" or "0" or "no" or "off";
    }

    /// <summary>Reads bytes: <c>64MiB</c>, <c>1.5 GiB</c>, <c>500kb</c>, <c>4096</c>.</summary>
    public static bool TryReadSize(string text, out long bytes)
    {
        foreach (var (unit, factor) in SizeUnits)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) return TryScale(text[..^unit.Length], factor, out bytes);
        }

        return TryScale(text, 1, out bytes);
    }

    /// <summary>Writes bytes with the largest binary unit that divides them.</summary>
    public static string FormatSize(long bytes)
    {
        foreach (var (unit, factor) in SizeUnits.AsSpan(0, 4))
        {
            if (bytes != 0 && bytes % factor == 0) return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor}{unit}");
        }

        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Reads <c>50ms</c>, <c>10 s</c>, <c>1.5h</c>, <c>10min</c>, <c>7d</c> or <c>[d.]hh:mm:ss[.fff]</c>. A bare number has no unit and is
    /// refused, but for 0.
    /// </summary>
    public static bool TryReadDuration(string text, out TimeSpan duration)
    {
        if (text == "0")
        {
            duration = TimeSpan.Zero;
            return true;
        }

        if (text.Contains(':')) return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration);
        foreach (var (unit, factor) in DurationUnits)
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) continue;
            var read = TryScale(text[..^unit.Length], factor, out var ticks);
            duration = new TimeSpan(ticks);
            return read;
        }

        duration = default;
        return false;
    }

    /// <summary>Writes a duration with the largest unit that divides it.</summary>
    public static string FormatDuration(TimeSpan duration)
    {
        ReadOnlySpan<(string Unit, long Ticks)> largestFirst =
        [
            ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("min", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond),
            ("ms", TimeSpan.TicksPerMillisecond),
        ];
        foreach (var (unit, ticks) in largestFirst)
        {
            // A day is written as 24h: that is how people say it. Longer spans in whole days are not.
            if (unit == "d" && duration.Ticks <= ticks) continue;
            if (duration.Ticks != 0 && duration.Ticks % ticks == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks}{unit}");
        }

        return duration == TimeSpan.Zero ? "0" : duration.ToString("c", CultureInfo.InvariantCulture);
    }

    private static bool TryScale(string number, long factor, out long result)
    {
        result = 0;
        if (!decimal.TryParse(number.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return false;
        if (value > long.MaxValue / factor) return false;
        result = (long)(value * factor);
        return true;
    }
}
