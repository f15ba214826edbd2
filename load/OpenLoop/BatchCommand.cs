using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary><c>batch</c>: calls of many events in a closed loop, then the audit.</summary>
internal static class BatchCommand
{
    private const int MostItems = 1000;

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var url = arguments.Url("--url", "http://localhost:8080");
        var duration = TimeSpan.FromSeconds(arguments.Number("--seconds", 10));
        var connections = arguments.Count("--connections", 4);
        var items = arguments.Count("--items", MostItems);
        var audited = !arguments.Flag("--no-audit");
        var serverId = arguments.Count("--server-pid");
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();
        if (items > MostItems) throw new UsageException($"--items is at most {MostItems}: a server takes no more in one call.");

        using var session = await LoadSession.OpenAsync(url, options, "load-batch");
        var ledger = audited ? await session.BeginAuditAsync(stop) : null;
        Console.WriteLine(session.Description);
        Console.WriteLine($"plan      {items:N0} events a call over {connections} connections for {duration.TotalSeconds:N0} s");
        var cpu = ProcessCpu.Of(serverId);
        var figures = await new BatchRun(session.Settings(connections), items, ledger).RunAsync(duration, stop);
        foreach (var line in Lines(figures)) Console.WriteLine(line);
        if (serverId is not null)
        {
            var each = (ProcessCpu.Of(serverId) - cpu) / Math.Max(1, figures.Items.Sum());
            Console.WriteLine(FormattableString.Invariant($"CPU       server {each.TotalMicroseconds:F2} µs an event"));
        }

        if (ledger is null) return figures.Items[202] > 0 ? ExitCode.Success : ExitCode.Verdict;
        var code = Report.Tell(await session.AuditAsync(ledger, deliveries: null, stop));
        return figures.Items[202] > 0 ? code : ExitCode.Verdict;
    }

    private static IEnumerable<string> Lines(BatchFigures figures)
    {
        var megabytes = figures.Bytes / figures.Elapsed.TotalSeconds / (1 << 20);
        yield return FormattableString.Invariant(
            $"accepted  {figures.Items[202]:N0} in {figures.Elapsed.TotalSeconds:F2} s = {figures.Rate:N0}/s, ")
            + FormattableString.Invariant($"{megabytes:F1} MiB/s sent");
        yield return $"items     {Report.Statuses(figures.Items)}";
        var latency = figures.Latencies;
        yield return FormattableString.Invariant(
            $"calls     {Report.Statuses(figures.Calls)}; p50 {latency.P50:F2} ms, p95 {latency.P95:F2} ms, p99 {latency.P99:F2} ms");
    }
}
