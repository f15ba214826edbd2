using System.Globalization;

namespace ZapierTriggers.Bench.Allocations;

/// <summary>The committed table of expected allocations: a name, a tab, bytes per operation; lines with # are comments.</summary>
internal static class AllocationTable
{
    /// <summary>The file's name, next to the program.</summary>
    public const string FileName = "allocations.tsv";

    /// <summary>Expected bytes by operation. Throws <see cref="FormatException"/> with the line when one cannot be read.</summary>
    public static IReadOnlyDictionary<string, double> Read()
    {
        var table = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, FileName)))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.Split('\t') is not [var name, var bytes]
                || !double.TryParse(bytes, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                || !table.TryAdd(name, value))
            {
                throw new FormatException($"{FileName}: expected a new name, a tab and bytes, found \"{line}\".");
            }
        }

        return table;
    }
}
