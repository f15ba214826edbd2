using System.Globalization;
using System.Net;
using System.Text;
using ZapierTriggers.Load.Core.Knee;

namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>The figures of the steps as a table, for the terminal and for the page.</summary>
internal static class KneeTable
{
    private static readonly (string Name, string Format, Func<KneeStep, double?> Read)[] Columns =
    [
        ("%", "N0", step => step.Percent),
        ("offered/s", "N0", step => step.Offered),
        ("accepted/s", "N0", step => step.AcceptedRate),
        ("p50", "F2", step => step.P50),
        ("p90", "F2", step => step.P90),
        ("p99", "F2", step => step.P99),
        ("p99.9", "F2", step => step.P999),
        ("stored mean", "F1", step => step.StoredMean),
        ("highest", "F1", step => step.StoredHighest),
        ("webhook p50", "F1", step => step.WebhookP50),
        ("p99 ", "F1", step => step.WebhookP99),
        ("CPU µs", "F1", step => step.CpuMicroseconds),
        ("bytes", "N0", step => step.AllocatedBytes),
        ("GC ms", "F1", step => step.GcPause),
        ("slope/s", "N0", step => step.BacklogSlope),
        ("lag p99", "F2", step => step.LagP99),
    ];

    /// <summary>The heading for the terminal.</summary>
    public static string Heading { get; } = "  " + string.Join("  ", Columns.Select(column => column.Name.PadLeft(WidthOf(column.Name))));

    /// <summary>A step for the terminal.</summary>
    public static string Line(KneeStep step) =>
        "  " + string.Join("  ", Columns.Select(column => Text(column.Read(step), column.Format).PadLeft(WidthOf(column.Name))))
        + Remark(step);

    /// <summary>All steps as an HTML table; the knee is marked.</summary>
    public static string Html(KneeFigures figures)
    {
        var table = new StringBuilder("<table><thead><tr>");
        foreach (var (name, _, _) in Columns) table.Append("<th>").Append(WebUtility.HtmlEncode(name.Trim())).Append("</th>");
        table.Append("<th></th></tr></thead><tbody>");
        foreach (var step in figures.Steps)
        {
            table.Append(step.VoidReason is not null ? "<tr class=\"bad\">" : step == figures.Knee ? "<tr class=\"knee\">" : "<tr>");
            foreach (var (_, format, read) in Columns) table.Append("<td>").Append(Text(read(step), format)).Append("</td>");
            table.Append("<td>").Append(WebUtility.HtmlEncode(Remark(step).Trim()));
            table.Append(step == figures.Knee ? " knee" : "").Append("</td></tr>");
        }

        return table.Append("</tbody></table>").ToString();
    }

    private static int WidthOf(string name) => Math.Max(8, name.Length);

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "n/a";

    private static string Remark(KneeStep step)
    {
        var remark = new StringBuilder();
        if (step.VoidReason is { } reason) remark.Append("  VOID: ").Append(reason);
        if (step.Refused > 0) remark.Append(CultureInfo.InvariantCulture, $"  refused {step.Refused:N0}");
        if (step.Unanswered > 0) remark.Append(CultureInfo.InvariantCulture, $"  no answer {step.Unanswered:N0}");
        if (step.Unsent > 0) remark.Append(CultureInfo.InvariantCulture, $"  never sent {step.Unsent:N0}");
        return remark.ToString();
    }
}
