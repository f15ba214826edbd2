using ZapierTriggers.Load.Core.Contest;

namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>The result of a comparison as text.</summary>
internal static class ContestTable
{
    /// <summary>The table's lines.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<ContestRow> rows)
    {
        var width = rows.Select(row => row.Name.Length).DefaultIfEmpty(0).Max();
        yield return "".PadRight(width)
            + "   events/s   of bare (spread)          readable/s   p50 ms   p99 ms   an acknowledgement survives";
        foreach (var row in rows)
        {
            var refused = row.Refused > 0 ? FormattableString.Invariant($"; VOID: {row.Refused:N0} refused") : "";
            yield return row.Name.PadRight(width)
                + FormattableString.Invariant($"  {row.Rate,9:N0}   {row.Ratio.Text()}  {row.DrainedRate,11:N0}  ")
                + FormattableString.Invariant($"{row.P50,7:F3}  {row.P99,7:F2}   {row.Survives}{refused}");
        }
    }
}
