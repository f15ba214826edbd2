using System.Globalization;
using System.Net;
using System.Text;
using ZapierTriggers.Load.Core.Knee;

namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>The figures of a search for the knee as one HTML page: plots, a table, the audit. It needs nothing from outside.</summary>
internal static class KneePage
{
    private const string Offered = "events offered per second";

    private const string Style = """
        :root{color-scheme:light dark;--fg:#1c2024;--dim:#60646c;--bg:#fff;--line:#dfe2e6}
        :root{--s0:#0b62c4;--s1:#c2410c;--s2:#15803d;--s3:#9333ea}
        @media(prefers-color-scheme:dark){:root{--fg:#edeef0;--dim:#a1a6ae;--bg:#16181b;--line:#363a3f}}
        @media(prefers-color-scheme:dark){:root{--s0:#6cb0ff;--s1:#ff9b5e;--s2:#5fd08a;--s3:#d3a1ff}}
        body{margin:0 auto;max-width:1100px;padding:24px;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
        h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:28px 0 4px}.dim,figcaption{color:var(--dim)}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:20px}figure{margin:0}svg{width:100%;height:auto}
        .grid{stroke:var(--line)}.tick,.axis{fill:var(--dim);font-size:11px}.line{fill:none;stroke-width:2}
        .s0{stroke:var(--s0);fill:var(--s0)}.s1{stroke:var(--s1);fill:var(--s1)}
        .s2{stroke:var(--s2);fill:var(--s2)}.s3{stroke:var(--s3);fill:var(--s3)}
        polyline.line{fill:none}.dot.void{fill:var(--bg)}
        .key{display:inline-block;width:12px;height:12px;border-radius:3px;margin:0 5px 0 12px}
        .k0{background:var(--s0)}.k1{background:var(--s1)}.k2{background:var(--s2)}.k3{background:var(--s3)}
        .wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
        th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--dim);font-weight:500}
        tr.knee{font-weight:600}tr.bad td{color:var(--dim)}pre{white-space:pre-wrap}
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="figures">What was found.</param>
    /// <param name="facts">Lines that say what was measured and on what.</param>
    public static string Write(KneeFigures figures, IReadOnlyList<string> facts)
    {
        var page = new StringBuilder();
        page.Append(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<title>Latency by load</title><style>").Append(Style).Append("</style></head><body><h1>Latency by load</h1>");
        foreach (var fact in facts) page.Append("<div class=\"dim\">").Append(Escape(fact)).Append("</div>");
        page.Append("<p>").Append(Escape(Verdict(figures))).Append("</p><div class=\"plots\">");
        AddPlots(page, figures.Steps);
        page.Append("</div><h2>All figures</h2><div class=\"wide\">").Append(KneeTable.Html(figures)).Append("</div>");
        page.Append(
            "<p class=\"dim\">Latencies in ms from the time at which each request was to be sent. A void step measures the generator. ")
            .Append("n/a: the server does not tell, or was not asked.</p>");
        if (figures.Audit is { } audit)
            page.Append("<h2>Audit</h2><pre>").Append(Escape(string.Join('\n', audit.Lines()))).Append("</pre>");
        return page.Append("</body></html>\n").ToString();
    }

    /// <summary>The knee in one sentence.</summary>
    public static string Verdict(KneeFigures figures) => figures.Knee is { } knee
        ? FormattableString.Invariant(
            $"The knee is at {knee.Offered:N0} events/s ({knee.Percent} % of {figures.Capacity:N0}/s), the highest at which ")
            + FormattableString.Invariant(
                $"everything was accepted, the backlog did not grow and the p99 was within {KneeFigures.TailMilliseconds:N0} ms ")
            + FormattableString.Invariant($"or {KneeFigures.TailFactor:N0} times the lowest; p99 there {knee.P99:F2} ms.")
        : "No step was held: the machine was too busy or the steps too high.";

    private static void AddPlots(StringBuilder page, IReadOnlyList<KneeStep> steps)
    {
        AddPlot(page, "Latency", "ms", steps, true, ("p50", s => s.P50), ("p90", s => s.P90), ("p99", s => s.P99), ("p99.9", s => s.P999));
        AddPlot(page, "Accepted", "events per second", steps, false, ("accepted", s => s.AcceptedRate), ("offered", s => s.Offered));
        AddPlot(
            page,
            "From 202 to the database and to the receiver",
            "ms",
            steps,
            true,
            ("stored, mean", s => s.StoredMean),
            ("stored, highest", s => s.StoredHighest),
            ("webhook p50", s => s.WebhookP50),
            ("webhook p99", s => s.WebhookP99));
        AddPlot(page, "Backlog's growth", "events per second", steps, false, ("slope", s => s.BacklogSlope));
        AddPlot(page, "Server CPU", "µs per event", steps, false, ("CPU", s => s.CpuMicroseconds));
        AddPlot(page, "Allocated", "bytes per event", steps, false, ("bytes", s => s.AllocatedBytes));
        AddPlot(page, "Collector's pauses in a step", "ms", steps, false, ("paused", s => s.GcPause));
        AddPlot(page, "The generator's own lag", "ms, p99", steps, true, ("lag", s => s.LagP99));
    }

    private static void AddPlot(
        StringBuilder page,
        string title,
        string unit,
        IReadOnlyList<KneeStep> steps,
        bool isLogarithmic,
        params ReadOnlySpan<(string Name, Func<KneeStep, double?> Read)> lines)
    {
        var series = new List<PlotSeries>();
        foreach (var (name, read) in lines)
        {
            var known = steps.Where(step => read(step) is not null);
            series.Add(new PlotSeries(name, [.. known.Select(step => (step.Offered, read(step)!.Value, step.VoidReason is not null))]));
        }

        var plot = SvgPlot.Draw(unit, Offered, series, isLogarithmic);
        page.Append("<figure><h2>").Append(Escape(title)).Append("</h2>");
        page.Append(plot.Length > 0 ? plot : "<p class=\"dim\">n/a</p>").Append("<figcaption>");
        for (var index = 0; index < series.Count && plot.Length > 0; index++)
            page.Append(CultureInfo.InvariantCulture, $"<span class=\"key k{index}\"></span>{Escape(series[index].Name)}");
        page.Append("</figcaption></figure>");
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
