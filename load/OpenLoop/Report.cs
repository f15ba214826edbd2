using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>Results as text.</summary>
internal static class Report
{
    private static readonly double[] Percentiles = [50, 90, 99, 99.9, 100];

    /// <summary>One line on a run under way.</summary>
    public static string Progress(LoadResult so) =>
        $"{so.Elapsed.TotalSeconds,6:F0} s  sent {so.Sent,9:N0}  {Statuses(so),-30}  "
        + $"p50 {Milliseconds(so, 50)}  p99 {Milliseconds(so, 99)}  backlog {so.Backlog,6:N0}  "
        + $"lag p99 {LoadResult.Milliseconds(so.Lag, 99):F2} ms";

    /// <summary>The final table.</summary>
    public static IEnumerable<string> Final(LoadResult result)
    {
        yield return $"answers   {result.Answered:N0} in {result.Elapsed.TotalSeconds:F2} s = {result.Rate:N0}/s; {Statuses(result)}";
        var latencies = Percentiles.Select(percentile => $"{Name(percentile)} {Milliseconds(result, percentile)}");
        yield return "latency   " + string.Join("   ", latencies);
        if (result.Statuses[429] > 0)
        {
            yield return $"LIMITED   {result.Statuses[429]:N0} of {result.Answered:N0} answers were 429: "
                + "the organization's rate limit was measured, not the server's speed";
        }
    }

    /// <summary>The generator's own state.</summary>
    public static string Generator(LoadResult result) =>
        $"generator busy {result.Busy:P0}, lag p50 {LoadResult.Milliseconds(result.Lag, 50):F2} "
        + $"p99 {LoadResult.Milliseconds(result.Lag, 99):F2} max {LoadResult.Milliseconds(result.Lag, 100):F2} ms";

    /// <summary>Counts by status.</summary>
    public static string Statuses(LoadResult result) => Statuses(result.Statuses);

    /// <summary>The same of counts by status, of which index 0 is without an answer.</summary>
    public static string Statuses(long[] counts)
    {
        var parts = Enumerable.Range(1, counts.Length - 1)
            .Where(status => counts[status] > 0)
            .Select(status => $"{status}: {counts[status]:N0}");
        if (counts[0] > 0) parts = parts.Append($"no answer: {counts[0]:N0}");
        return string.Join("  ", parts);
    }

    /// <summary>Prints what an audit found; returns its exit code.</summary>
    public static int Tell(AuditReport report)
    {
        foreach (var line in report.Lines()) Console.WriteLine(line);
        return report.ExitCode;
    }

    private static string Milliseconds(LoadResult result, double percentile) =>
        $"{LoadResult.Milliseconds(result.Latency, percentile):F2} ms";

    private static string Name(double percentile) => percentile == 100 ? "max" : $"p{percentile}";
}
