using System.Globalization;

namespace ZapierTriggers.Load.Core.Figures;

/// <summary>
/// Reads the Prometheus text format 0.0.4: <c>name{label="value",…} number [timestamp]</c> a line, comments behind <c>#</c>.
/// </summary>
internal static class PrometheusText
{
    /// <summary>The figures by name, summed over their labels. Lines that are none are passed over.</summary>
    public static Dictionary<string, double> Parse(string text)
    {
        var figures = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (TryReadLine(line.Trim(), out var name, out var value)) figures[name] = figures.GetValueOrDefault(name) + value;
        }

        return figures;
    }

    private static bool TryReadLine(ReadOnlySpan<char> line, out string name, out double value)
    {
        (name, value) = ("", 0);
        if (line.IsEmpty || line[0] == '#') return false;
        var nameLength = line.IndexOfAny('{', ' ');
        if (nameLength <= 0) return false;
        var rest = line[nameLength..];
        if (rest[0] == '{')
        {
            var end = EndOfLabels(rest);
            if (end < 0) return false;
            rest = rest[(end + 1)..];
        }

        rest = rest.Trim();
        var numberLength = rest.IndexOf(' ');
        name = line[..nameLength].ToString();
        return double.TryParse(numberLength < 0 ? rest : rest[..numberLength], CultureInfo.InvariantCulture, out value);
    }

    // A label's value may hold braces, and quotes behind a backslash.
    private static int EndOfLabels(ReadOnlySpan<char> labels)
    {
        var quoted = false;
        for (var i = 1; i < labels.Length; i++)
        {
            if (quoted && labels[i] == '\\') i++;
            else if (labels[i] == '"') quoted = !quoted;
            else if (!quoted && labels[i] == '}') return i;
        }

        return -1;
    }
}
